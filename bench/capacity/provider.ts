/** An outside service that enforces its limits to the letter, over any 60 s and at once, and answers 429 beyond them. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export type StrictProvider = {
  readonly url: string
  /** When each call that was served arrived, in milliseconds since the provider began. */
  readonly served: readonly number[]
  readonly refused: readonly number[]
  /** How long after its grant was in hand each call arrived; the clocks are one machine's. */
  readonly underWayMs: readonly number[]
  mostAtOnce(): number
  nowMs(): number
  close(): void
}

const minuteMs = 60_000

export async function startStrictProvider(limits: {
  readonly perMinute: number
  readonly atOnce: number
  readonly answersInMs: readonly [number, number]
}): Promise<StrictProvider> {
  const beganAt = performance.now()
  const nowMs = () => performance.now() - beganAt
  const served: number[] = []
  const refused: number[] = []
  const underWayMs: number[] = []
  let oldest = 0
  let underWay = 0
  let most = 0
  const server = createServer((request, response) => {
    if (request.url === '/warm-up') {
      response.end()
      return
    }
    const now = nowMs()
    underWayMs.push(Date.now() - Number(request.headers['x-sent-at']))
    while (oldest < served.length && (served[oldest] ?? now) <= now - minuteMs) oldest += 1
    if (served.length - oldest >= limits.perMinute || underWay >= limits.atOnce) {
      refused.push(now)
      response.writeHead(429, { 'retry-after': '2' }).end()
      return
    }
    served.push(now)
    underWay += 1
    most = Math.max(most, underWay)
    const [least, longest] = limits.answersInMs
    response.once('close', () => (underWay -= 1))
    void delay(least + Math.random() * (longest - least)).then(() => response.end('{}'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the provider has no port')
  const { port } = address
  return {
    url: `http://127.0.0.1:${port}/`,
    served,
    refused,
    underWayMs,
    nowMs,
    mostAtOnce: () => most,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
