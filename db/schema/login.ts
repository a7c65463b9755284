import { boolean, index, pgSchema, text, uuid } from 'drizzle-orm/pg-core'
import { at, createdAt, id } from './columns.ts'

/**
 * Embedded accounts (better-auth). A schema of its own, granted to the server's login role alone: neither `anon` nor
 * `authenticated` can name it. A trigger mirrors each user into `auth.users` and makes the `self` profile in the same transaction.
 */
export const login = pgSchema('login')

export const loginUsers = login.table('users', {
  id: id(),
  name: text().notNull(),
  email: text().notNull().unique('users_email_key'),
  emailVerified: boolean().notNull().default(false),
  image: text(),
  createdAt: createdAt(),
  updatedAt: createdAt(),
})

export const loginSessions = login.table(
  'sessions',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => loginUsers.id, { onDelete: 'cascade' }),
    token: text().notNull().unique('sessions_token_key'),
    expiresAt: at().notNull(),
    ipAddress: text(),
    userAgent: text(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [index('sessions_user_idx').on(table.userId)],
)

export const loginAccounts = login.table(
  'accounts',
  {
    id: id(),
    userId: uuid()
      .notNull()
      .references(() => loginUsers.id, { onDelete: 'cascade' }),
    accountId: text().notNull(),
    providerId: text().notNull(),
    accessToken: text(),
    refreshToken: text(),
    idToken: text(),
    accessTokenExpiresAt: at(),
    refreshTokenExpiresAt: at(),
    scope: text(),
    password: text(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [index('accounts_user_idx').on(table.userId)],
)

export const loginVerifications = login.table(
  'verifications',
  {
    id: id(),
    identifier: text().notNull(),
    value: text().notNull(),
    expiresAt: at().notNull(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [index('verifications_identifier_idx').on(table.identifier)],
)

export const loginKeys = login.table('keys', {
  id: id(),
  publicKey: text().notNull(),
  privateKey: text().notNull(),
  createdAt: createdAt(),
  expiresAt: at(),
})
