import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { messageKinds } from '../schema/login.ts'

export type MessageKind = (typeof messageKinds)[number]
export type AccountMessage = {
  readonly kind: MessageKind
  readonly email: string
  /** Null where the address is not known to be the holder's. */
  readonly name: string | null
}

/** Throws `too_many_requests` past the hour's limit. Whether the address has an account shows nowhere. */
export async function requestAccountMessage(
  tx: Tx,
  { kind, email, accountId }: { readonly kind: MessageKind; readonly email: string; readonly accountId: string | null },
): Promise<void> {
  await tx.execute(sql`select public.request_account_message(${kind}, ${email}, ${accountId}::uuid)`)
}

const begun = z.object({ kind: z.enum(messageKinds), email: z.string(), display_name: z.string().nullable() })

/** Null when there is nobody to tell, or it has been told. */
export async function beginAccountMessage(tx: Tx, id: string): Promise<AccountMessage | null> {
  const [row] = await tx.execute(sql`select * from public.begin_account_message(${id}::uuid)`)
  if (row === undefined) return null
  const { kind, email, display_name: name } = begun.parse(row)
  return { kind, email, name }
}

const kept = z.object({ expires_at: z.coerce.date() })

/** In the transaction that began the message. Returns until when its secret is good. */
export async function keepMessageProof(tx: Tx, id: string, proof: string, minutes: number): Promise<Date> {
  const [row] = await tx.execute(
    sql`select public.keep_message_proof(${id}::uuid, ${proof}, ${minutes}::int) as expires_at`,
  )
  return kept.parse(row).expires_at
}

export async function finishAccountMessage(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`select public.finish_account_message(${id}::uuid)`)
}

const changed = z.object({ ok: z.boolean() })

/** False when the proof is not this account's, is over, or is for another address. */
export async function changeAccountEmail(
  tx: Tx,
  change: {
    readonly accountId: string
    readonly email: string
    readonly proof: string
    /** The one that goes on. */
    readonly sessionId: string
  },
): Promise<boolean> {
  const { accountId, email, proof, sessionId } = change
  const [row] = await tx.execute(
    sql`select public.change_account_email(${accountId}::uuid, ${email}, ${proof}, ${sessionId}::uuid) as ok`,
  )
  return changed.parse(row).ok
}
