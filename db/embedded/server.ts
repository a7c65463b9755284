import { spawn } from 'node:child_process'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { wait } from '../../platform/wait.ts'
import type { Binaries } from './binaries.ts'
import { serverEnvironment } from './cluster.ts'
import type { Cluster, Durability } from './cluster.ts'
import { findFreePort, isPortFree } from './port.ts'
import { isAlive, isServerOf, pidFilePath, readPidFile } from './process-of.ts'
import type { RunAs } from './run-as.ts'

export type LaunchTools = { readonly binaries: Binaries; readonly runAs: RunAs; readonly durability: Durability }
export type Launched = { readonly hasEnded: () => boolean }

/** Sized for a machine with two cores and little memory. */
const settings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '96MB',
  max_wal_size: '512MB',
  // Our statements are short: compiling them or spreading them over processes costs more than it brings.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Errors quote the values that caused them; those stay out of the server's log.
  log_min_messages: 'fatal',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
}
const disposableSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_wal_size: '128MB',
}

const logPath = (cluster: Cluster) => join(cluster.home, 'server.log')

/** Starts the server in a process group of its own, so that Ctrl-C in the terminal reaches only us. */
export async function launchServer(cluster: Cluster, tools: LaunchTools): Promise<Launched> {
  await disownStalePidFile(cluster.dataFolder)
  const port = (await isPortFree(cluster.connection.port)) ? cluster.connection.port : await findFreePort()
  const all = { ...settings, ...(tools.durability === 'disposable' ? disposableSettings : {}) }
  const options = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const command = [tools.binaries.postgres, '-D', cluster.dataFolder, '-p', String(port), ...options]
  const [program = '', ...args] = [...tools.runAs.prefix, ...command]

  const log = await open(logPath(cluster), 'w', 0o600)
  try {
    const child = spawn(program, args, {
      cwd: cluster.home,
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    })
    let ended = false
    child.once('exit', () => (ended = true))
    child.once('error', () => (ended = true))
    child.unref()
    return { hasEnded: () => ended }
  } finally {
    await log.close()
  }
}

/** Fast shutdown: open transactions are rolled back, the data is written, nothing needs recovery. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const found = await readPidFile(cluster.dataFolder)
  if (found === null || !(await isServerOf(found.pid, cluster.dataFolder))) return

  for (const [signal, patienceMs] of [
    ['SIGINT', 30_000],
    ['SIGQUIT', 10_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (!signalProcess(found.pid, signal)) return
    if (await hasGone(found.pid, cluster.dataFolder, patienceMs)) return
  }
}

export async function lastWordsOf(cluster: Cluster): Promise<string> {
  const log = await readFile(logPath(cluster), 'utf8').catch(() => '')
  return log.trim().split('\n').slice(-5).join('\n')
}

async function hasGone(pid: number, dataFolder: string, patienceMs: number): Promise<boolean> {
  const giveUpAt = performance.now() + patienceMs
  while (performance.now() < giveUpAt) {
    if (!(await isServerOf(pid, dataFolder))) return true
    await wait(10)
  }
  return false
}

function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal)
    return true
  } catch {
    return isAlive(pid)
  }
}

/**
 * The server refuses to start while the process named in a left-over lock file exists, even when that number has
 * gone to another program since (usual after a container restarts) or belongs to a dead process that nobody reaped.
 * It never minds its parent, so our own number is put there; its check for shared memory in use stays in force.
 */
async function disownStalePidFile(dataFolder: string): Promise<void> {
  const found = await readPidFile(dataFolder)
  if (found === null || !isAlive(found.pid) || (await isServerOf(found.pid, dataFolder))) return
  const path = pidFilePath(dataFolder)
  const lines = (await readFile(path, 'utf8')).split('\n')
  await writeFile(path, [String(process.pid), ...lines.slice(1)].join('\n'))
}
