import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What the server says of itself in its lock file; the port is missing until it has been chosen. */
export type ServerProcess = { readonly pid: number; readonly port: number | null }

export const pidFilePath = (dataFolder: string) => join(dataFolder, 'postmaster.pid')

export async function readPidFile(dataFolder: string): Promise<ServerProcess | null> {
  const text = await readFile(pidFilePath(dataFolder), 'utf8').catch(() => '')
  const lines = text.split('\n')
  const pid = Number(lines[0])
  const port = Number(lines[3])
  if (!Number.isInteger(pid) || pid <= 0) return null
  return { pid, port: Number.isInteger(port) && port > 0 ? port : null }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const run = promisify(execFile)

/** Whether that process is the server of this data folder: after a reboot the number may belong to another. */
export async function isServerOf(pid: number, dataFolder: string): Promise<boolean> {
  if (!isAlive(pid)) return false
  // Empty for a process that is dead but not yet reaped.
  const command =
    process.platform === 'linux'
      ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      : await run('ps', ['-p', String(pid), '-o', 'command=']).then(
          (result) => result.stdout,
          () => '',
        )
  return command.includes(dataFolder)
}
