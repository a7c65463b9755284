import { once } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import { wait } from '../../platform/wait.ts'
import type { Random } from './random.ts'

/** The far side of outside calls: answers, fails in all the ways that such services fail, and counts for itself. */
export type Provider = {
  readonly url: string
  /** From now on every call is answered well, and there is no limit to them in a minute. */
  heal(): void
  count(): ProviderCount
  close(): Promise<void>
}

export type ProviderCount = {
  readonly calls: number
  readonly refused: number
  readonly failed: number
  readonly mostAtOnce: number
  /** In the fullest minute, wherever it begins, up to when it was healed. */
  readonly mostInAMinute: number
}

const minuteMs = 60_000

export async function startProvider(random: Random): Promise<Provider> {
  const arrivals: number[] = []
  let isHealthy = false
  let atOnce = 0
  let mostAtOnce = 0
  let refused = 0
  let failed = 0

  async function answer(response: ServerResponse): Promise<void> {
    await wait(random.chance(0.05) && !isHealthy ? random.between(500, 1_500) : random.between(10, 150))
    const fate = isHealthy ? 1 : random.next()
    if (fate < 0.03) {
      refused += 1
      response.writeHead(429, { 'retry-after': '1' }).end()
    } else if (fate < 0.06) {
      failed += 1
      response.writeHead(500).end()
    } else if (fate < 0.09) {
      failed += 1
      response.destroy()
    } else response.writeHead(200, { 'x-ratelimit-limit-requests': random.whole(1_000, 1_003) }).end('answered')
  }

  const server = createServer((request, response) => {
    if (!isHealthy) arrivals.push(performance.now())
    atOnce += 1
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    // Also when the caller has died.
    response.once('close', () => (atOnce -= 1))
    request.resume()
    void answer(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the provider has no port')

  return {
    url: `http://127.0.0.1:${address.port}/`,
    heal: () => (isHealthy = true),
    count: () => ({
      calls: arrivals.length,
      refused,
      failed,
      mostAtOnce,
      mostInAMinute: mostWithin(arrivals, minuteMs),
    }),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** The most that any stretch of that length holds; the moments are in order. */
export function mostWithin(moments: readonly number[], lengthMs: number): number {
  let first = 0
  let most = 0
  for (const [index, moment] of moments.entries()) {
    while (moment - (moments[first] ?? moment) >= lengthMs) first += 1
    most = Math.max(most, index - first + 1)
  }
  return most
}
