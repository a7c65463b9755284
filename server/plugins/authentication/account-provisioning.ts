import { asService } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { provisionAccount } from '../../../db/queries/profiles.ts'
import type { VerifiedToken } from './token-verifier.ts'

const rememberedAccounts = 20_000

/** At the first sight of an account from outside: its row and its `self` profile. Idempotent; remembered, so that it costs one query per process. */
export function createProvisioning(db: Database): (token: VerifiedToken, correlationId: string) => Promise<void> {
  const known = new Set<string>()
  return async (token, correlationId) => {
    if (known.has(token.accountId)) return
    await asService(db, { initiatedBy: token.accountId, correlationId }, (tx) => provisionAccount(tx, token))
    if (known.size >= rememberedAccounts) known.clear()
    known.add(token.accountId)
  }
}
