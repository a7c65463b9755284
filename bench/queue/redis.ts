import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

export type Redis = { readonly url: string; readonly version: string; stop(): Promise<void> }

const oldest = 7

/** The `redis-server` of the machine, durable to the second, on a port of its own; or why there is none. */
export async function startRedis(): Promise<Redis | string> {
  const version = await versionOfRedis()
  if (version === null) return 'no redis-server'
  if (Number.parseInt(version, 10) < oldest) return `redis-server is ${version}, older than ${oldest}`
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'exora-bench-redis-'))
  const durable = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '']
  const child = spawn('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--dir', dir, ...durable], {
    stdio: 'ignore',
  })
  const exited = once(child, 'exit')
  // However this process ends, unless it is killed.
  const leave = () => void child.kill('SIGTERM')
  process.once('exit', leave)
  await untilAnswering(port)
  return {
    url: `redis://127.0.0.1:${port}`,
    version,
    async stop() {
      leave()
      process.off('exit', leave)
      await exited
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function versionOfRedis(): Promise<string | null> {
  return await promisify(execFile)('redis-server', ['--version']).then(
    ({ stdout }) => /v=(\d+[\d.]*)/.exec(stdout)?.[1] ?? null,
    () => null,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}

async function untilAnswering(port: number): Promise<void> {
  for (const giveUpAt = performance.now() + 10_000; performance.now() < giveUpAt; await delay(20)) {
    const socket = connect(port, '127.0.0.1')
    const answered = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (answered) return
  }
  throw new Error('redis-server did not start')
}
