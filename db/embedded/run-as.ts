import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'

/**
 * PostgreSQL refuses to run as root, yet in containers and on many build machines we are root. Two ways around, with
 * no user to create, both of which still reach a checkout below a folder that only root may enter:
 * a user name space in which root is shown as `nobody`; or the real `nobody`, kept able to pass through folders.
 */
export type RunAs = {
  /** Put before each program. */
  readonly prefix: readonly string[]
  /** Who must own the data; null leaves it as it is. */
  readonly ownerId: number | null
}

const nobody = 65534
const asNobody = [
  'setpriv',
  `--reuid=${nobody}`,
  `--regid=${nobody}`,
  '--clear-groups',
  '--inh-caps=+dac_override',
  '--ambient-caps=+dac_override',
]
export const waysToLeaveRoot: readonly RunAs[] = [
  { prefix: ['unshare', '-U', `--map-user=${nobody}`, `--map-group=${nobody}`], ownerId: 0 },
  { prefix: asNobody, ownerId: nobody },
]

const run = promisify(execFile)

export async function chooseRunAs(binaries: Binaries, ways: readonly RunAs[] = waysToLeaveRoot): Promise<RunAs> {
  if (process.getuid?.() !== 0) return { prefix: [], ownerId: null }

  for (const way of ways) {
    if (await works(way, binaries)) return way
  }
  throw new Error(
    'PostgreSQL will not run as root, and this machine allows neither user name spaces nor setpriv. ' +
      'Start as an ordinary user, or set DATABASE_URL.',
  )
}

async function works(way: RunAs, binaries: Binaries): Promise<boolean> {
  const [program, ...args] = [...way.prefix, binaries.postgres, '--version']
  if (program === undefined) return false
  return await run(program, args, { env: { ...process.env, ...binaries.env }, timeout: 10_000 }).then(
    () => true,
    () => false,
  )
}
