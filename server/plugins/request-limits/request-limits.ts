import { isIPv6 } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { askAsService, inetOf } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { takeRequestAllowances } from '../../../db/queries/request-limits.ts'
import { systemClock } from '../../../platform/clock.ts'
import type { Logger } from '../../../platform/log.ts'
import type { ProtectionConfig, RequestLimits } from '../../protection-config.ts'
import type { Api, Server } from '../../types.ts'
import { tooManyRequests, unauthenticated } from '../errors.ts'
import { createAllowances } from './allowances.ts'
import type { Budget, Decision } from './held-allowance.ts'

/** `none`: for who watches over us, and must be answered always. */
export type BudgetName = 'account' | 'uploads' | 'streams' | 'address' | 'none'

export type RequestLimiter = {
  /** Throws `too_many_requests` when this caller has none left of this kind. Says so in headers where there is a reply. */
  admit(kind: keyof RequestLimits, caller: string, reply: FastifyReply | null): Promise<Admitted>
  stop(): Promise<void>
}

/** For what turns out to cost nothing. */
export type Admitted = { readonly giveBack: () => void }

export function createRequestLimiter(db: Database, config: ProtectionConfig, log: Logger): RequestLimiter {
  const { requestLimits: limits, countPatienceMs } = config
  const allowances = createAllowances(
    (wanted) => askAsService(db, (sql) => takeRequestAllowances(sql, wanted)),
    systemClock,
    (error) => log.warn({ event: 'request_limits_uncounted', error }, 'requests could not be counted yet'),
    countPatienceMs,
  )
  const budgets = new Map<string, Budget>(
    Object.entries(limits).flatMap(([name, perMinute]) => (perMinute === null ? [] : [[name, { name, perMinute }]])),
  )
  return {
    admit: async (kind, caller, reply) => {
      const budget = budgets.get(kind)
      if (budget === undefined) return { giveBack: () => {} }
      const name = `${kind} ${caller}`
      const decision = await allowances.take(budget, name)
      if (reply !== null) tell(reply, budget, decision)
      if (decision.kind === 'refused') throw tooManyRequests({ retryAfterMs: decision.resetMs })
      return { giveBack: () => allowances.giveBack(name) }
    },
    stop: () => allowances.stop(),
  }
}

/** Whoever has not said who they are is counted by address: signing in, and what does not exist. */
export function limitAddresses(app: Server, limiter: RequestLimiter): void {
  app.addHook('onRequest', async (request, reply) => {
    const budget = request.routeOptions.config.budget ?? 'address'
    if (budget === 'address') await limiter.admit('address', addressOf(request), reply)
  })
  app.addHook('onClose', () => limiter.stop())
}

/** Requests of this scope are counted by account, after it is known; what brings no good token, by address. */
export function limitAccounts(scope: Api, limiter: RequestLimiter): void {
  scope.addHook('onRoute', (route) => {
    route.config = { budget: 'account', ...route.config }
  })
  scope.addHook('onRequest', async (request, reply) => {
    const { accountId } = request
    const budget = request.routeOptions.config.budget ?? 'account'
    if (accountId === null || budget === 'none') return
    await limiter.admit(budget, accountId, reply)
  })
}

/** To be given to `catch` of the authentication: trying tokens is limited, too. */
export async function countRefusedToken(
  limiter: RequestLimiter,
  { request, reply, error }: { request: FastifyRequest; reply: FastifyReply; error: unknown },
): Promise<never> {
  if (unauthenticated.matches(error)) await limiter.admit('address', addressOf(request), reply)
  throw error
}

/** One subscriber has a whole /64 of IPv6. What a proxy made up is one address. */
export function addressOf(request: { readonly ip: string | undefined }): string {
  // Of a connection that has gone meanwhile the framework knows none, whatever its types say.
  const address = inetOf(request.ip ?? '')
  if (!isIPv6(address)) return address === '' ? 'unknown' : address
  const [head = '', tail = ''] = address.split('::')
  const before = head.split(':').filter((group) => group !== '')
  const after = tail.split(':').filter((group) => group !== '')
  const zeros = address.includes('::')
    ? Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => '0')
    : []
  return [...before, ...zeros, ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}

/** draft-ietf-httpapi-ratelimit-headers. */
function tell(reply: FastifyReply, { name, perMinute }: Budget, { remaining, resetMs }: Decision): void {
  reply.header('ratelimit-policy', `"${name}";q=${perMinute};w=60`)
  reply.header('ratelimit', `"${name}";r=${remaining};t=${Math.max(1, Math.ceil(resetMs / 1000))}`)
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** From whose budget the request is taken; `address` where nothing is said. */
    budget?: BudgetName
  }
}
