import { readdir, readFile } from 'node:fs/promises'
import { rounded } from '../statistics.ts'

const pageBytes = 4_096
const intervalMs = 100

/** The most memory that a process and all below it held at one time, in MB, while something was done. Linux alone tells it. */
export async function peakMbWhile<T>(pid: number, work: () => Promise<T>): Promise<{ result: T; peakMb: number }> {
  let peakMb = 0
  let isLooking = false
  const look = async () => {
    if (isLooking) return
    isLooking = true
    peakMb = Math.max(peakMb, await treeMb(pid))
    isLooking = false
  }
  const timer = setInterval(() => void look(), intervalMs)
  try {
    return { result: await work(), peakMb: rounded(peakMb, 1) }
  } finally {
    clearInterval(timer)
  }
}

/** Pages that several of them share count once for each: this errs on the side of too much. */
async function treeMb(root: number): Promise<number> {
  const children = new Map<number, number[]>()
  const resident = new Map<number, number>()
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid)) continue
    const found = await describe(pid)
    if (found === null) continue
    resident.set(pid, found.bytes)
    children.set(found.parent, [...(children.get(found.parent) ?? []), pid])
  }
  const sum = (pid: number): number =>
    (resident.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((total, child) => total + sum(child), 0)
  return sum(root) / 2 ** 20
}

/** Null for a process that has ended in the meantime. */
async function describe(pid: number): Promise<{ readonly parent: number; readonly bytes: number } | null> {
  try {
    const [stat, statm] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/statm`, 'utf8'),
    ])
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return { parent, bytes: Number(statm.split(' ')[1]) * pageBytes }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return null
    throw error
  }
}
