import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { countFailedAuditEvents } from '../../db/queries/audit-chains.ts'
import { wordSeal } from './kept-seals.ts'
import type { KeptSeal } from './kept-seals.ts'
import { findRewritten, verifyChains } from './verify-chains.ts'

export type Report = {
  readonly kept: readonly KeptSeal[]
  readonly say: (line: string) => void
  /** The newest seal of each month that is whole. */
  readonly onSeal: (line: string) => void
}

/** Says a line for each month as soon as it is verified; true if all of the log is what it was. */
export async function reportChains(db: Database, { kept, say, onSeal }: Report): Promise<boolean> {
  let broken = 0
  say(row('month', 'rows', 'unsealed', 'first broken'))
  for await (const { chain, rows, unsealed, firstBroken, lastPosition, lastHash } of verifyChains(db)) {
    if (firstBroken !== null) broken += 1
    say(row(chain, String(rows), String(unsealed), firstBroken ?? '-'))
    if (firstBroken === null && lastPosition > 0) onSeal(wordSeal({ chain, position: lastPosition, hash: lastHash }))
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
