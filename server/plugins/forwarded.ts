import type { Server } from '../types.ts'

/** Somebody has put a proxy before us and not said so: everybody behind it is one address then, for limits and audit. */
export function warnOfForwarding(app: Server, trustedProxies: number): void {
  let isTold = trustedProxies > 0
  app.addHook('onRequest', async (request) => {
    if (isTold || request.headers['x-forwarded-for'] === undefined) return
    isTold = true
    request.log.warn(
      { event: 'forwarded_for_ignored' },
      'X-Forwarded-For arrives and TRUSTED_PROXIES is 0: whoever comes through that proxy is counted as one address',
    )
  })
}
