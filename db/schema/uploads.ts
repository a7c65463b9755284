import { sql } from 'drizzle-orm'
import { bigint, boolean, check, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, createdAt } from './columns.ts'
import { userProfiles } from './identity.ts'

/** Uploads that come in pieces, over bad connections. All of an upload has been received exactly when it is registered. */
export const resumableUploads = pgTable(
  'resumable_uploads',
  {
    id: uuid().primaryKey(),
    accountId: uuid()
      .notNull()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'cascade' }),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    receivedBytes: bigint({ mode: 'number' })
      .notNull()
      .default(sql`0`),
    filename: text().notNull(),
    /** As the form of an upload has them, checked when the upload was created. */
    fields: jsonb().notNull(),
    keepBoth: boolean().notNull(),
    /** Storage keys, in order. */
    pieces: text()
      .array()
      .notNull()
      .default(sql`'{}'`),
    /** Where whoever holds the upload puts its next piece. Nobody outside says where a piece lies. */
    pieceKey: text(),
    lockToken: uuid(),
    lockedUntil: at(),
    responseBody: jsonb(),
    expiresAt: at().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    index('resumable_uploads_expires_idx').on(table.expiresAt),
    index('resumable_uploads_patient_idx').on(table.patientId),
    index('resumable_uploads_account_idx').on(table.accountId),
    check('resumable_uploads_received_check', sql`received_bytes between 0 and size_bytes and size_bytes > 0`),
    check('resumable_uploads_finished_check', sql`(received_bytes = size_bytes) = (response_body is not null)`),
  ],
).enableRLS()
