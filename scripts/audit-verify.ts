/** Whether the audit log is what it was; `--help` says how. Ends with 1 if it is not. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { asService } from '../db/actor.ts'
import type { Database } from '../db/client.ts'
import { countFailedAuditEvents } from '../db/queries/audit-chains.ts'
import { runMain } from '../platform/run-main.ts'
import { openAuditedDatabase } from './audit/database.ts'
import { parseSeals, wordSeal } from './audit/kept-seals.ts'
import type { KeptSeal } from './audit/kept-seals.ts'
import { findRewritten, verifyChains } from './audit/verify-chains.ts'
import type { ChainReport } from './audit/verify-chains.ts'

const usage = `npm run audit:verify -- [--seal] [--against <file>]
  Computes the hash chain of every month of the audit log again. Reads, and changes nothing.
  --seal            prints the newest seal of each month that is whole, to be kept where who can write the database cannot:
                    npm run -s audit:verify -- --seal > seals.txt   (the table goes to standard error then)
  --against <file>  also compares with seals that were kept: shows a chain that was rewritten as a whole
  The database is that of DATABASE_DIRECT_URL or DATABASE_URL, else the embedded one of DATA_DIR.`

const { values } = parseArgs({
  options: { seal: { type: 'boolean' }, against: { type: 'string' }, help: { type: 'boolean' } },
})

await runMain(async () => {
  if (values.help === true) return console.log(usage)
  const kept = values.against === undefined ? [] : parseSeals(await readFile(values.against, 'utf8'))
  const { db, close } = await openAuditedDatabase(process.env)
  try {
    const isWhole = await verify(db, kept)
    if (!isWhole) process.exitCode = 1
  } finally {
    await close()
  }
})

async function verify(db: Database, kept: readonly KeptSeal[]): Promise<boolean> {
  const say = values.seal === true ? console.error : console.log
  let broken = 0
  say(row('month', 'rows', 'unsealed', 'first broken'))
  for await (const report of verifyChains(db)) {
    if (report.firstBroken !== null) broken += 1
    say(row(report.chain, String(report.rows), String(report.unsealed), report.firstBroken ?? '-'))
    if (values.seal === true && report.lastPosition > 0 && report.firstBroken === null)
      console.log(wordSeal(sealOf(report)))
  }
  const rewritten = await findRewritten(db, kept)
  for (const { chain, position } of rewritten) say(`${chain}: place ${position} is not what was sealed there`)
  if (kept.length > 0 && rewritten.length === 0) say(`${kept.length} kept seals are as they were`)

  const failed = await asService(db, {}, countFailedAuditEvents)
  if (failed > 0) say(`${failed} events that the log refused are not in it yet: see failed_audit_events`)
  return broken === 0 && rewritten.length === 0
}

function row(month: string, ...cells: readonly string[]): string {
  return [month.padEnd(18), ...cells.map((cell, place) => (place < 2 ? cell.padStart(12) : `  ${cell}`))].join('')
}

function sealOf({ chain, lastPosition, lastHash }: ChainReport): KeptSeal {
  return { chain, position: lastPosition, hash: lastHash }
}
