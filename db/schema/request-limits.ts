import { pgTable, uuid } from 'drizzle-orm/pg-core'
import { at } from './columns.ts'

/** What each caller of the API may still ask for, as the moment from which their budget is whole. Unlogged (db/sql). */
export const requestAllowances = pgTable('request_allowances', {
  /** Of a hash over the kind of request and the account or address. */
  callerKey: uuid().primaryKey(),
  fullAt: at().notNull(),
}).enableRLS()
