import { pgSchema, text, uuid } from 'drizzle-orm/pg-core'

/**
 * Accounts. On Supabase the table is theirs; elsewhere `db/sql/00-roles.sql` makes a compatible one, so it is not
 * exported from the schema index and no migration ever touches it.
 */
export const authUsers = pgSchema('auth').table('users', {
  id: uuid().primaryKey(),
  email: text(),
})
