import { asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { listAuditChains, readAuditHash, verifyAuditChain } from '../../db/queries/audit-chains.ts'
import type { VerifiedChain } from '../../db/queries/audit-chains.ts'
import type { KeptSeal } from './kept-seals.ts'

export type ChainReport = VerifiedChain & { readonly chain: string }

/**
 * Month by month, each in a transaction of its own: the database walks the rows, and what comes here is one line a month,
 * however long the log is.
 */
export async function* verifyChains(db: Database): AsyncGenerator<ChainReport> {
  for (const chain of await asService(db, {}, listAuditChains)) {
    const found = await asService(db, {}, (tx) => verifyAuditChain(tx, chain))
    // Months are made ahead of time; one that nothing was ever written to is no chain yet.
    if (found.rows > 0 || found.lastPosition > 0) yield { chain, ...found }
  }
}

/** Those that the log, though it may hold in itself, does not have (any more) as they were kept. */
export async function findRewritten(db: Database, kept: readonly KeptSeal[]): Promise<KeptSeal[]> {
  return await asService(db, {}, async (tx) => {
    const rewritten: KeptSeal[] = []
    for (const seal of kept)
      if ((await readAuditHash(tx, seal.chain, seal.position)) !== seal.hash) rewritten.push(seal)
    return rewritten
  })
}
