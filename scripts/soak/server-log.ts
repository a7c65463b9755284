export const deadlocksOf = (log: readonly string[]) => log.filter((line) => line.includes('deadlock detected'))

/** More than a second for one lock: usual after a worker was frozen in a transaction, and a figure, not a fault. */
export const longLockWaitsOf = (log: readonly string[]) => log.filter((line) => line.includes('still waiting for'))

// What the soak itself causes: connections that are cut, servers that stop, jobs that are taken from their attempts, and
// transactions that stand still because their worker does.
const expected = [
  /terminating connection/,
  /the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)/,
  /does not run on this worker \(any more\)/,
  /terminating (walreceiver|autovacuum|logical replication)/,
  /connection to client lost/,
  /unexpected EOF on client connection/,
]

/** By what they say: a statement that fails now and then under load is a defect that nobody has met yet. */
export function unexpectedErrorsOf(log: readonly string[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const line of log) {
    if (!/ (ERROR|PANIC): {2}/.test(line) || expected.some((known) => known.test(line))) continue
    const said = line.replace(/^.*? (?=(ERROR|PANIC): {2})/, '').replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '…')
    counts.set(said, (counts.get(said) ?? 0) + 1)
  }
  return [...counts].map(([said, count]) => `${count} × ${said}`)
}
