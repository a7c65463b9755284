import { sql } from 'drizzle-orm'
import { customType, text, timestamp, uuid } from 'drizzle-orm/pg-core'

/** Version 7 UUIDs keep indexes dense; `public.uuid_v7()` is defined for every PostgreSQL from 15 on. */
export const id = () =>
  uuid()
    .primaryKey()
    .default(sql`public.uuid_v7()`)

export const at = () => timestamp({ withTimezone: true, precision: 6, mode: 'date' })
export const createdAt = () => at().notNull().defaultNow()

/** A CHECK for a closed list of words, kept beside the TypeScript union that it mirrors. */
export const oneOf = (column: string, words: readonly string[]) =>
  sql.raw(`${column} in (${words.map((word) => `'${word}'`).join(', ')})`)

export const correlationId = () => text()

const xid8 = customType<{ data: string; driverData: string }>({ dataType: () => 'xid8' })

/** The transaction that wrote the row: with it a snapshot says of each row whether it was seen. */
export const writtenBy = () =>
  xid8()
    .notNull()
    .default(sql`pg_current_xact_id()`)
