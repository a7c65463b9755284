import { z } from 'zod'
import { uuidOfText } from '../../platform/uuid.ts'
import type { Database } from '../client.ts'

/** `used`: the same code was tried within minutes, whether it was right or wrong. */
export type Attempt =
  | { readonly kind: 'open' | 'used' | 'none' }
  | { readonly kind: 'locked'; readonly retryAfterS: number }

const maxFailures = 10
const answer = z.object({ is_open: z.boolean(), is_fresh: z.boolean(), retry_after_s: z.number().nullable() })

/**
 * Counts an attempt before the code is looked at, under the lock of the row: a thousand at once are counted one after
 * the other, and the eleventh in a row waits for an hour. The code itself is noted for longer than it is good, so that
 * nobody who saw it can use it again. As the server's own login: no actor, whoever it is, can name these tables.
 */
export async function beginTwoFactorAttempt(db: Database, userId: string, code: string): Promise<Attempt> {
  const [row] = await db.sql`
    with counted as (
      update login.two_factors as factor
      set failed_verification_count = case when factor.locked_until is null then factor.failed_verification_count else 0 end + 1,
          locked_until = case
            when factor.locked_until is null and factor.failed_verification_count + 1 >= ${maxFailures} then now() + interval '1 hour'
          end
      where factor.user_id = ${userId} and (factor.locked_until is null or factor.locked_until <= now())
      returning factor.id
    ),
    noted as (
      insert into login.verifications as proof (id, identifier, value, expires_at)
      select ${noteIdOf(userId, code)}::uuid, ${usedCode}, ${userId}, now() + interval '3 minutes'
      from counted
      on conflict (id) do update
      set expires_at = excluded.expires_at
      where proof.expires_at <= now()
      returning proof.id
    )
    select
      exists (select from counted) as is_open,
      exists (select from noted) as is_fresh,
      (
        -- Who waited for the row sees it here as it was before.
        select coalesce(ceil(extract(epoch from factor.locked_until - now()))::int, 3600)
        from login.two_factors as factor
        where factor.user_id = ${userId}
      ) as retry_after_s`
  const { is_open: isOpen, is_fresh: isFresh, retry_after_s: retryAfterS } = answer.parse(row)
  if (isOpen) return { kind: isFresh ? 'open' : 'used' }
  return retryAfterS === null ? { kind: 'none' } : { kind: 'locked', retryAfterS: Math.max(1, retryAfterS) }
}

/** As it is kept: encrypted. */
export async function findTwoFactorSecret(db: Database, userId: string): Promise<string | null> {
  const [row] = await db.sql`select factor.secret from login.two_factors as factor where factor.user_id = ${userId}`
  return row === undefined ? null : z.object({ secret: z.string() }).parse(row).secret
}

/** The code was right: what failed before counts no more. */
export async function forgetFailedAttempts(db: Database, userId: string): Promise<void> {
  await db.sql`
    update login.two_factors as factor
    set failed_verification_count = 0,
        locked_until = null
    where factor.user_id = ${userId}`
}

/** Kept when all other proofs of an account end (65-account-messages.sql). */
const usedCode = 'used code'

/** One id for one code of one account. */
const noteIdOf = (userId: string, code: string) => uuidOfText(`${usedCode} ${userId} ${code}`)
