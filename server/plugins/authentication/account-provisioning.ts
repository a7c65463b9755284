import { asService } from '../../../db/actor.ts'
import type { Tx } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { requireOpenAccount } from '../../../db/queries/closures.ts'
import { provisionAccount } from '../../../db/queries/profiles.ts'
import type { VerifiedToken } from './token-verifier.ts'

export type Provision = (token: VerifiedToken, correlationId: string) => Promise<void>

const rememberedAccounts = 20_000
// For so long a token may outlive its account here: it reaches nothing any more, but is not told why.
const rememberedMs = 60_000

/** At the first sight of an account from outside: its row and its `self` profile. Idempotent. */
export const createProvisioning = (db: Database): Provision =>
  rememberingIn(db, async (tx, token) => {
    await provisionAccount(tx, token)
  })

/** Embedded accounts got their profile when they signed up; what is asked is whether they still are. */
export const createPresenceCheck = (db: Database): Provision =>
  rememberingIn(db, (tx, token) => requireOpenAccount(tx, token.accountId))

/** Remembered, so that it costs one query a minute for each account and process. */
function rememberingIn(db: Database, check: (tx: Tx, token: VerifiedToken) => Promise<void>): Provision {
  const seenAt = new Map<string, number>()
  return async (token, correlationId) => {
    const { accountId } = token
    if (performance.now() - (seenAt.get(accountId) ?? -Infinity) < rememberedMs) return
    await asService(db, { initiatedBy: accountId, correlationId }, (tx) => check(tx, token))
    if (seenAt.size >= rememberedAccounts) seenAt.clear()
    seenAt.set(accountId, performance.now())
  }
}
