import { ConfigurationError } from './env.ts'

/** Runs what a process is for. What ends it early is said in words that help whoever started it, not as a stack. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main()
  } catch (error) {
    process.stderr.write(`${explainFailure(error)}\n`)
    process.exit(1)
  }
}

export function explainFailure(error: unknown): string {
  if (error instanceof ConfigurationError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port, path } = describe(error)
  if (code === 'EADDRINUSE')
    return `Port ${port ?? ''} is in use by something else: set PORT (or HEALTH_CHECK_PORT) to another.`
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return `${path ?? 'A folder'} cannot be written: set DATA_DIR (or STORAGE_URL) to a folder that can.`
  if (code === 'ENOTDIR' || code === 'EEXIST') return `${path ?? 'DATA_DIR'} is not a folder: set DATA_DIR to one.`
  if (code === 'ENOSPC') return 'There is no space left on the disk.'
  if (code === 'ECONNREFUSED')
    return 'The database does not answer: is DATABASE_URL right, and does PostgreSQL run there?'
  return error.stack ?? error.message
}

type Described = { readonly code?: unknown; readonly port?: number; readonly path?: string }

function describe(error: Error): Described {
  const { code, port, path } = { code: undefined, port: undefined, path: undefined, ...error }
  return {
    code,
    ...(typeof port === 'number' ? { port } : {}),
    ...(typeof path === 'string' ? { path } : {}),
  }
}
