import type { FastifyRequest } from 'fastify'
import type { Server } from '../types.ts'

/** One line for each request that ended: ids, route pattern and time; never the address, which may hold ids and words. */
export function addRequestLog(app: Server): void {
  app.addHook('onResponse', async (request, reply) => {
    request.log.info(
      {
        method: request.method,
        route: routeOf(request),
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
        ...(request.errorCode === null ? {} : { code: request.errorCode }),
        ...(request.accountId === null ? {} : { account_id: request.accountId }),
      },
      'request',
    )
  })
}

export const routeOf = (request: FastifyRequest): string => request.routeOptions.url ?? 'none'
