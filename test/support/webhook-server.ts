import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { startLoopback } from './loopback.ts'
import type { Asked } from './loopback.ts'
import type { Teardown } from './postgres.ts'

export type Behaviour = 'takes' | 'fails' | 'redirects' | 'resets' | 'says_nothing'

/** A receiver of webhooks on the loopback, which behaves as it was told, in turn; then it takes everything. */
export async function startWebhookServer(t: Teardown, ...behaviours: readonly Behaviour[]) {
  const told: Asked[] = []
  const left = [...behaviours]
  const { url, server } = await startLoopback(t, (asked, response, self) => {
    told.push(asked)
    self.emit('told')
    behave(left.shift() ?? 'takes', response)
  })
  return { url: `${url}/alerts`, told, nextTold: async () => void (await once(server, 'told')) }
}

function behave(behaviour: Behaviour, response: ServerResponse): void {
  if (behaviour === 'takes') response.writeHead(204).end()
  else if (behaviour === 'fails') response.writeHead(500).end('no')
  else if (behaviour === 'redirects') response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()
  else if (behaviour === 'resets') response.destroy()
}
