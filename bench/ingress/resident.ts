import { readFile } from 'node:fs/promises'

/** Memory of a process in MB, now or the most since it was cleared. Linux alone tells it. */
export async function residentMb(pid: number, line: 'VmRSS' | 'VmHWM' = 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${line}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN) / 1_024
}
