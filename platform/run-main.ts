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
    return `Port ${String(port)} is in use by something else: set PORT (or HEALTH_CHECK_PORT) to another.`
  if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM')
    return `${typeof path === 'string' ? path : 'A folder'} cannot be written: set DATA_DIR (or STORAGE_URL) to a folder that can.`
  if (code === 'ENOTDIR' || code === 'EEXIST')
    return `${typeof path === 'string' ? path : 'DATA_DIR'} is not a folder: set DATA_DIR to one.`
  if (code === 'ENOSPC') return 'There is no space left on the disk.'
  // A driver says it in a word of its own, with the system's underneath.
  if (code === 'ECONNREFUSED' || (error.cause instanceof Error && describe(error.cause).code === 'ECONNREFUSED'))
    return 'The database does not answer: is DATABASE_URL right, and does PostgreSQL run there?'
  return error.stack ?? error.message
}

function describe(error: Error): { readonly code: unknown; readonly port: unknown; readonly path: unknown } {
  return {
    code: 'code' in error ? error.code : null,
    port: 'port' in error ? error.port : null,
    path: 'path' in error ? error.path : null,
  }
}
