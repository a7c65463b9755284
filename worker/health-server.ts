import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Service } from '../platform/service.ts'
import type { Metrics } from '../platform/telemetry.ts'
import type { WorkerConfig } from './config.ts'

export type HealthServer = Service & {
  /** Known once it has started. */
  readonly address: () => string
}

export type HealthAnswers = {
  readonly health: () => { readonly isHealthy: boolean; readonly body: object }
  readonly isReady: () => Promise<boolean>
  readonly metrics: Metrics
}

/** `/health`, `/ready` and `/metrics` of a worker, which has no other HTTP. */
export function createHealthServer(listenOn: WorkerConfig['health'], answers: HealthAnswers): HealthServer {
  const server = createServer((request, response) => {
    void respond(request, response, answers)
  })
  server.requestTimeout = 5_000
  let address = ''

  return {
    name: 'health server',
    address: () => address,
    async start() {
      await listen(server, listenOn.host, listenOn.port).catch(async (error: unknown) => {
        if (listenOn.ifTaken === 'fail' || !isPortTaken(error)) throw error
        await listen(server, listenOn.host, 0)
      })
      address = `http://${listenOn.host}:${portOf(server.address())}`
    },
    async stop() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
    },
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(port, host, resolve)
  await promise
  server.off('error', reject)
}

const isPortTaken = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'

async function respond(request: IncomingMessage, response: ServerResponse, answers: HealthAnswers): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? ''
  const { status, contentType, body } = await answer(path, answers).catch(() => json(500, { status: 'error' }))
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(body)
}

type Answer = { readonly status: number; readonly contentType: string; readonly body: string }

async function answer(path: string, answers: HealthAnswers): Promise<Answer> {
  if (path === '/health') {
    const { isHealthy, body } = answers.health()
    return json(isHealthy ? 200 : 503, body)
  }
  if (path === '/ready') {
    const isReady = await answers.isReady()
    return json(isReady ? 200 : 503, { status: isReady ? 'ready' : 'not_ready' })
  }
  if (path === '/metrics') return { status: 200, ...(await answers.metrics.expose()) }
  return json(404, { status: 'not_found' })
}

const json = (status: number, body: object): Answer => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify(body),
})

const portOf = (address: AddressInfo | string | null) =>
  typeof address === 'object' && address !== null ? address.port : 0
