/** Whether the audit log is what it was; `--help` says how. Ends with 1 if it is not. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { runMain } from '../platform/run-main.ts'
import { openAuditedDatabase } from './audit/database.ts'
import { parseSeals } from './audit/kept-seals.ts'
import { reportChains } from './audit/report.ts'

const usage = `npm run audit:verify -- [--seal] [--against <file>]
  Computes the hash chain of every month of the audit log again. Reads, and changes nothing.
  --seal            prints the newest seal of each month that is whole, to be kept where who can write the database cannot:
                    npm run audit:verify --silent -- --seal > seals.txt   (the table goes to standard error then)
  --against <file>  also compares with seals that were kept: shows a chain that was rewritten as a whole
  The database is that of DATABASE_DIRECT_URL or DATABASE_URL, else the embedded one of DATA_DIR.`

const { values } = parseArgs({
  options: { seal: { type: 'boolean' }, against: { type: 'string' }, help: { type: 'boolean' } },
})

await runMain(async () => {
  if (values.help === true) return console.log(usage)
  const kept = values.against === undefined ? [] : parseSeals(await readFile(values.against, 'utf8'))
  const { db, close } = await openAuditedDatabase(process.env)
  const output =
    values.seal === true
      ? { say: (line: string) => console.error(line), onSeal: (line: string) => console.log(line) }
      : { say: (line: string) => console.log(line), onSeal: () => {} }
  try {
    if (!(await reportChains(db, { kept, ...output }))) process.exitCode = 1
  } finally {
    await close()
  }
})
