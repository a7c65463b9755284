import { asc } from 'drizzle-orm'
import type { Database } from '../client.ts'
import { loginKeys } from '../schema/login.ts'

export type LoginKey = typeof loginKeys.$inferSelect

// The login schema is open to the server's own login alone: no actor, whoever it is, can name it.

/** The keys that sign our tokens, oldest first; the private part is encrypted by its user. */
export async function listLoginKeys(db: Database): Promise<LoginKey[]> {
  return await db.drizzle.select().from(loginKeys).orderBy(asc(loginKeys.createdAt))
}

export async function insertLoginKey(
  db: Database,
  key: { readonly publicKey: string; readonly privateKey: string },
): Promise<LoginKey> {
  const [row] = await db.drizzle
    .insert(loginKeys)
    .values({ publicKey: key.publicKey, privateKey: key.privateKey })
    .returning()
  if (row === undefined) throw new Error('a key was inserted but not returned')
  return row
}
