/** Listeners: told a `ListenTask`, says when all of them listen, and when asked what arrived when. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { ListenTask } from './listeners.ts'

const connectingAtOnce = 50
const [given]: unknown[] = await once(process, 'message')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- sent by our own parent
const task = given as ListenTask
const { hostname, port } = new URL(task.address)
const arrivals: number[][] = []

function listen(token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const mine: number[] = []
    arrivals.push(mine)
    let rest = ''
    const socket = connect(Number(port), hostname, () =>
      socket.write(`GET /realtime HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`),
    )
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`a stream ended: ${rest.slice(0, 300)}`)))
    socket.on('data', (chunk: Buffer) => {
      const at = Number(process.hrtime.bigint()) / 1e6
      rest += chunk.toString('latin1')
      const blocks = rest.split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        if (block.includes('event: ready')) resolve()
        if (block.includes('event: file')) mine.push(at)
      }
    })
  })
}

const waiting = [...task.tokens]
await Promise.all(
  Array.from({ length: connectingAtOnce }, async () => {
    for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) await listen(token)
  }),
)
process.on('message', () => process.send?.({ arrivals }))
process.on('disconnect', () => process.exit())
process.send?.('listening')
