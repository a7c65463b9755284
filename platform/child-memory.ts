import type { ChildProcess } from 'node:child_process'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { promisify } from 'node:util'

/** `too_large`: above its own limit, or gone while it grew towards it; `crowded_out`: the children together were. */
export type MemoryVerdict = 'within' | 'too_large' | 'crowded_out'

/** Call it to stop watching. */
export type MemoryWatch = (() => void) & { readonly verdict: () => MemoryVerdict; readonly residentBytes: () => number }

const intervalMs = 50
const pageBytes = 4096

/** All children of this process together may hold as much of the memory of the container or machine. */
const shareOfMemory = 0.6
const held = new Map<ChildProcess, number>()

/**
 * Kills a child that holds more memory than it may. Limits of V8's heap do not bound WebAssembly and native buffers,
 * so the resident size is polled: a 580 kB flate bomb needs some three seconds to fill a gigabyte.
 */
export function watchMemory(child: ChildProcess, maxRssBytes: number, maxAllBytes = mostOfAll()): MemoryWatch {
  let verdict: MemoryVerdict = 'within'
  let isBusy = false
  let bytes = 0
  const timer = setInterval(() => {
    if (isBusy || child.pid === undefined) return
    isBusy = true
    void look(child.pid)
  }, intervalMs)
  const look = async (pid: number): Promise<void> => {
    const now = await residentBytes(pid)
    isBusy = false
    if (now === 0 || verdict !== 'within') return
    bytes = now
    held.set(child, bytes)
    if (bytes > maxRssBytes) verdict = 'too_large'
    else if (held.size > 1 && isLargest(child) && sumOfAll() > maxAllBytes) verdict = 'crowded_out'
    if (verdict !== 'within') child.kill('SIGKILL')
  }
  const stop = (): void => {
    clearInterval(timer)
    held.delete(child)
  }
  return Object.assign(stop, { verdict: () => verdict, residentBytes: () => bytes })
}

const mostOfAll = () => Math.min(process.constrainedMemory() || totalmem(), totalmem()) * shareOfMemory
const sumOfAll = () => [...held.values()].reduce((sum, bytes) => sum + bytes, 0)
const isLargest = (child: ChildProcess) => held.get(child) === Math.max(...held.values())

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

const ticksPerSecond = 100

/** Processor time that it has had; null when the process is gone or the system does not tell. */
export async function cpuMs(pid: number): Promise<number | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
  } catch {
    return null
  }
}
