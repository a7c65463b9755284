/** Who operates this installation: `npm run operator -- grant|revoke <account id or e-mail>`, `npm run operator -- list`. */
import postgres from 'postgres'
import { defaultDataDir } from '../db/embedded/connection-file.ts'
import { startEmbedded } from '../db/embedded/start.ts'
import { runMain } from '../platform/run-main.ts'
import { AccountNotFound, grantOperator, listOperators, revokeOperator } from './operators/account-roles.ts'

const usage = `npm run operator -- list
npm run operator -- grant <account id or e-mail>
npm run operator -- revoke <account id or e-mail>
  The database is that of DATABASE_DIRECT_URL or DATABASE_URL, which must be its owner's, else the embedded one of DATA_DIR.`

const [command = '', account = '', ...rest] = process.argv.slice(2)
const work = rest.length === 0 ? commandOf() : null

if (work === null) {
  console.error(usage)
  process.exitCode = 2
} else {
  await runMain(async () => {
    const configured = process.env['DATABASE_DIRECT_URL'] || process.env['DATABASE_URL']
    const embedded = configured ? null : await startEmbedded({ dataDir: process.env['DATA_DIR'] || defaultDataDir })
    const owner = postgres(configured || (embedded?.urls.owner ?? ''), { max: 1, onnotice: () => {} })
    try {
      for (const line of await work(owner)) console.log(line)
    } catch (error) {
      const words = explain(error)
      if (words === null) throw error
      console.error(words)
      process.exitCode = 1
    } finally {
      await owner.end()
      await embedded?.close()
    }
  })
}

function commandOf(): ((owner: postgres.Sql) => Promise<string[]>) | null {
  if (command === 'list' && account === '') {
    return async (owner) =>
      (await listOperators(owner)).map(
        ({ accountId, email, since }) => `${accountId}  ${since.toISOString()}  ${email ?? ''}`,
      )
  }
  if (command === 'grant' && account !== '') return async (owner) => [await grantOperator(owner, account)]
  if (command === 'revoke' && account !== '') return async (owner) => [await revokeOperator(owner, account)]
  return null
}

function explain(error: unknown): string | null {
  if (error instanceof AccountNotFound) return error.message
  switch (error instanceof postgres.PostgresError ? error.code : '') {
    case '42501':
      return 'This login does not own the database: set DATABASE_DIRECT_URL to that of the owner.'
    case '42P01':
      return 'There is nothing in this database yet: npm run db:migrate, or npm start.'
    default:
      return null
  }
}
