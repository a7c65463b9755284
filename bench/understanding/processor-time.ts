import { readFile } from 'node:fs/promises'
import type postgres from 'postgres'

/** Clock ticks of /proc, on every Linux that Node runs on. */
const tickMs = 10

/**
 * Milliseconds on a processor of this process with its threads and of the database's sessions, while something was done: on a
 * shared machine the time that passes tells more of the others. Linux alone tells it of sessions.
 */
export async function processorMs(superuser: postgres.Sql, work: () => Promise<unknown>): Promise<number> {
  const sessions = await usedBySessions(superuser)
  const own = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(own)
  return (user + system) / 1_000 + (await usedBySessions(superuser)) - sessions
}

async function usedBySessions(superuser: postgres.Sql): Promise<number> {
  const sessions = await superuser<{ pid: number }[]>`
    select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'`
  const used = await Promise.all(sessions.map(({ pid }) => usedBy(pid)))
  return used.reduce((sum, ms) => sum + ms, 0)
}

async function usedBy(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * tickMs
}
