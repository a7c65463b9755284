import { resolve } from 'node:path'
import { wait } from '../../platform/wait.ts'
import { findBinaries } from './binaries.ts'
import { prepareCluster, writeConnectionFile } from './cluster.ts'
import type { Cluster, Durability } from './cluster.ts'
import type { ConnectionFile } from './connection-file.ts'
import { isServerOf, readPidFile } from './process-of.ts'
import { prepareRoles } from './roles.ts'
import { chooseRunAs } from './run-as.ts'
import type { RunAs } from './run-as.ts'
import { takeSeat } from './seat.ts'
import type { Seat } from './seat.ts'
import { lastWordsOf, launchServer, stopServer } from './server.ts'
import type { Launched, LaunchTools } from './server.ts'

export type EmbeddedDatabase = {
  /** `owner` migrates and is what studio opens; `app` is what server and workers log in as. */
  readonly urls: { readonly owner: string; readonly app: string }
  /** Stops the server too, unless another process still uses it. */
  close(): Promise<void>
}

export type EmbeddedOptions = {
  readonly dataDir: string
  /** `disposable` trades safety against power loss for speed: tests only. */
  readonly durability?: Durability
  readonly startTimeoutMs?: number
  /** Tests choose one of several. */
  readonly waysToLeaveRoot?: readonly RunAs[]
}

const attempts = 12

/**
 * Starts PostgreSQL on the data directory, or joins the one that already runs there: one that another process of ours
 * uses, or one that was left behind when its starter was killed. When the server dies under us it is started again on
 * the same port, so that connection pools come back by themselves.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const dataDir = resolve(options.dataDir)
  const durability = options.durability ?? 'durable'
  const installed = await findBinaries(dataDir)
  const { runAs, binaries } = await chooseRunAs(installed, options.waysToLeaveRoot)
  const tools = { binaries, runAs, durability }
  const cluster = await prepareCluster({ dataDir, durability }, binaries, runAs)
  const { seat, connection } = await occupy(cluster, tools, options)
  return {
    urls: { owner: connection.owner, app: connection.app },
    close: () => seat.leave(),
  }
}

type Occupied = { readonly connection: ConnectionFile; readonly seat: { leave(): Promise<void> } }

async function occupy(cluster: Cluster, tools: LaunchTools, options: EmbeddedOptions): Promise<Occupied> {
  let isLeaving = false
  const join = async (): Promise<{ seat: Seat; connection: ConnectionFile }> => {
    const joined = await joinOrLaunch(cluster, tools, {
      giveUpAt: performance.now() + (options.startTimeoutMs ?? 60_000),
      onLost: () => {
        if (!isLeaving) current = join()
        // Whoever closes next is told; until then the pools say what they see.
        current.catch(() => {})
      },
    })
    const connection = onPort(cluster.connection, joined.port)
    await writeConnectionFile(cluster.home, connection)
    return { seat: joined.seat, connection }
  }
  let current = join()
  const { seat, connection } = await current
  await prepareRoles(seat.session, connection)
  const leave = async () => {
    const last = await current
    isLeaving = true
    await leaveServer(cluster, last.seat)
  }
  return { connection, seat: { leave } }
}

async function joinOrLaunch(
  cluster: Cluster,
  tools: LaunchTools,
  limits: { giveUpAt: number; onLost: () => void },
): Promise<{ seat: Seat; port: number }> {
  let launched: Launched | null = null
  let launches = 0
  while (performance.now() < limits.giveUpAt) {
    const server = await readPidFile(cluster.dataFolder)
    if (server?.port) {
      const answer = await takeSeat(cluster.connection.superuser, server.port, limits.onLost)
      if (answer.kind === 'seated') return { seat: answer.seat, port: server.port }
    }

    const isComing = launched?.hasEnded() === false
    const isOthers = server !== null && (await isServerOf(server.pid, cluster.dataFolder))
    if (!isComing && !isOthers) {
      // The processes of a server that was killed need a moment to notice and to let go of its memory.
      if (launches > 0) await wait(Math.min(50 * launches, 500))
      if (launches >= attempts) break
      launched = await launchServer(cluster, tools)
      launches += 1
    }
    await wait(10)
  }
  throw new Error(`The embedded database did not start. Its last words:\n${await lastWordsOf(cluster)}`)
}

async function leaveServer(cluster: Cluster, seat: Seat): Promise<void> {
  const isLast = await seat.isLast().catch(() => false)
  if (isLast) await stopServer(cluster)
  await seat.leave()
}

function onPort(connection: ConnectionFile, port: number): ConnectionFile {
  const moved = (url: string) => {
    const changed = new URL(url)
    changed.port = String(port)
    return changed.href
  }
  return { port, superuser: moved(connection.superuser), owner: moved(connection.owner), app: moved(connection.app) }
}
