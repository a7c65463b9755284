/**
 * Uploaders: told a `LoadTask` by their parent, one keep-alive connection each, the next upload as soon as the last is
 * answered. Sockets and bytes made beforehand, so that the two cores are the servers' and not ours.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { LoadResult, LoadTask } from './load.ts'

const [told]: unknown[] = await once(process, 'message')
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own parent
const task = told as LoadTask
const { hostname, port } = new URL(task.address)
const boundary = 'a-boundary-of-the-measurement'
const marker = () => Buffer.from(`%PDF-1.7\n%${randomUUID()}\n`)
const rest = randomBytes(task.bytes - marker().byteLength)
const statuses = new Map<number, number>()
const waits: number[] = []
let broken = 0
const over = new AbortController()

function requestOf(person: LoadTask['people'][number]): () => Buffer[] {
  const fields =
    `--${boundary}\r\ncontent-disposition: form-data; name="patient_id"\r\n\r\n${person.profileId}\r\n` +
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="letter.pdf"\r\n` +
    'content-type: application/pdf\r\n\r\n'
  const end = `\r\n--${boundary}--\r\n`
  const length = Buffer.byteLength(fields) + task.bytes + Buffer.byteLength(end)
  return () => [
    Buffer.from(
      `POST /documents/upload HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${person.token}\r\n` +
        `content-type: multipart/form-data; boundary=${boundary}\r\ncontent-length: ${length}\r\n` +
        `idempotency-key: ${randomUUID()}\r\n\r\n${fields}`,
    ),
    marker(),
    rest,
    Buffer.from(end),
  ]
}

async function upload(person: LoadTask['people'][number]): Promise<void> {
  const request = requestOf(person)
  let socket = await open()
  while (!over.signal.aborted) {
    const startedAt = performance.now()
    try {
      const status = await exchange(socket, request())
      waits.push(performance.now() - startedAt)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    } catch {
      broken += 1
      socket.destroy()
      socket = await open()
    }
  }
  socket.destroy()
}

function open(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket))
    socket.setNoDelay(true)
    socket.once('error', reject)
  })
}

/** The status of the answer, once all of it is there. */
function exchange(socket: Socket, parts: readonly Buffer[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const done = (end: () => void) => {
      socket.off('data', onData).off('error', onEnd).off('close', onEnd)
      end()
    }
    const onEnd = () => done(() => reject(new Error('the connection broke')))
    const onData = (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      const headEnd = answer.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/content-length: (\d+)/i.exec(answer.slice(0, headEnd))?.[1] ?? 0)
      if (answer.length >= headEnd + 4 + length) done(() => resolve(Number(answer.slice(9, 12))))
    }
    socket.on('data', onData).once('error', onEnd).once('close', onEnd)
    socket.cork()
    for (const part of parts) socket.write(part)
    socket.uncork()
  })
}

process.on('disconnect', () => process.exit())
const uploaders = task.people.map((person) => upload(person))
setTimeout(() => {
  // What came while everybody connected is not counted.
  waits.length = 0
  statuses.clear()
  const startedAt = performance.now()
  setTimeout(() => {
    const seconds = (performance.now() - startedAt) / 1_000
    const result: LoadResult = { seconds, waits: [...waits], statuses: Object.fromEntries(statuses), broken }
    over.abort()
    void Promise.all(uploaders).then(() => process.send?.(result, () => process.exit()))
  }, task.seconds * 1_000)
}, task.warmUpSeconds * 1_000)
