import type { ChildProcess } from 'node:child_process'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Call it to stop watching. */
export type MemoryWatch = (() => void) & { readonly wasTooLarge: () => boolean }

const intervalMs = 50
const pageBytes = 4096

/**
 * Kills a child that holds more memory than it may. Limits of V8's heap do not bound WebAssembly and native buffers,
 * so the resident size is polled: a 580 kB flate bomb needs some three seconds to fill a gigabyte.
 */
export function watchMemory(child: ChildProcess, maxRssBytes: number): MemoryWatch {
  let isTooLarge = false
  let isBusy = false
  const timer = setInterval(() => {
    if (isBusy || child.pid === undefined) return
    isBusy = true
    void look(child.pid)
  }, intervalMs)
  const look = async (pid: number): Promise<void> => {
    const bytes = await residentBytes(pid)
    isBusy = false
    if (bytes <= maxRssBytes) return
    isTooLarge = true
    child.kill('SIGKILL')
  }
  const stop = (): void => clearInterval(timer)
  return Object.assign(stop, { wasTooLarge: () => isTooLarge })
}

/** 0 when the process is gone or the system does not tell. */
async function residentBytes(pid: number): Promise<number> {
  try {
    if (process.platform === 'linux') {
      const statm = await readFile(`/proc/${pid}/statm`, 'utf8')
      return Number(statm.split(' ')[1]) * pageBytes
    }
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)])
    return Number(stdout.trim()) * 1024
  } catch {
    return 0
  }
}
