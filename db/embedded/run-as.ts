import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { copyWhereAllCanReach } from './binaries.ts'
import type { Binaries } from './binaries.ts'

/**
 * PostgreSQL refuses to run as root, yet in containers and on many build machines we are root. Two ways around, with
 * no user to create, both of which still reach data below a folder that only root may enter:
 * a user name space in which root is shown as `nobody`; or the real `nobody`, kept able to pass through folders.
 */
export type RunAs = {
  /** Put before each program. */
  readonly prefix: readonly string[]
  /** Who must own the data; null leaves it as it is. */
  readonly ownerId: number | null
  /**
   * The same without what lets it pass through folders. PostgreSQL asks `access()` about its own program, which does
   * not count such rights, so the program itself must be reachable without them.
   */
  readonly plainPrefix?: readonly string[]
}

const nobody = 65534
const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups']

export const waysToLeaveRoot: readonly RunAs[] = [
  { prefix: ['unshare', '-U', `--map-user=${nobody}`, `--map-group=${nobody}`], ownerId: 0 },
  {
    prefix: [...asNobody, '--inh-caps=+dac_override', '--ambient-caps=+dac_override'],
    ownerId: nobody,
    plainPrefix: asNobody,
  },
]

/** How to run the programs, and which: a copy of them where the installed ones cannot be reached. */
export async function chooseRunAs(
  binaries: Binaries,
  ways: readonly RunAs[] = waysToLeaveRoot,
): Promise<{ readonly runAs: RunAs; readonly binaries: Binaries }> {
  if (process.getuid?.() !== 0) return { runAs: { prefix: [], ownerId: null }, binaries }

  for (const way of ways) {
    if (!(await runs(way.prefix, binaries))) continue
    const isReachable = way.plainPrefix === undefined || (await runs(way.plainPrefix, binaries))
    return { runAs: way, binaries: isReachable ? binaries : await copyWhereAllCanReach(binaries) }
  }
  throw new Error(
    'PostgreSQL will not run as root, and this machine allows neither user name spaces nor setpriv. ' +
      'Start as an ordinary user, or set DATABASE_URL.',
  )
}

const run = promisify(execFile)

async function runs(prefix: readonly string[], binaries: Binaries): Promise<boolean> {
  const [program, ...args] = [...prefix, binaries.postgres, '--version']
  return await run(program, args, { timeout: 10_000 }).then(
    () => true,
    () => false,
  )
}
