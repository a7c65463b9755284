import { boolean, check, index, integer, pgSchema, text, uuid } from 'drizzle-orm/pg-core'
import { at, createdAt, id, oneOf } from './columns.ts'

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
  twoFactorEnabled: boolean().notNull().default(false),
  /** How often all that was open of it has ended. What was begun before opens nothing any more (66-logins.sql). */
  loginGeneration: integer().notNull().default(0),
  loginsEndedAt: at(),
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
    /** Of the account, when the secret began to be looked at that opened the session. */
    loginGeneration: integer().notNull().default(0),
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
    /** As with sessions; null where the value is no account. */
    loginGeneration: integer(),
    expiresAt: at().notNull(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [index('verifications_identifier_idx').on(table.identifier)],
)

export const loginTwoFactors = login.table('two_factors', {
  id: id(),
  userId: uuid()
    .notNull()
    .unique('two_factors_user_id_key')
    .references(() => loginUsers.id, { onDelete: 'cascade' }),
  /** Encrypted with the secret of the accounts, as are the backup codes. */
  secret: text().notNull(),
  backupCodes: text().notNull(),
  /** False until the first code has come: until then nothing is asked for. */
  verified: boolean().notNull().default(false),
  failedVerificationCount: integer().notNull().default(0),
  lockedUntil: at(),
})

export const messageKinds = ['password_reset', 'email_change', 'email_changed'] as const

/**
 * What holders of accounts are told outside of the product, by mail. Whether an address has an account is asked when the
 * message is sent and not when it is asked for: who asks cannot tell.
 */
export const loginMessages = login.table(
  'messages',
  {
    id: id(),
    kind: text({ enum: messageKinds }).notNull(),
    email: text().notNull(),
    /** Who asked; null where nobody had to be signed in for it. */
    userId: uuid().references(() => loginUsers.id, { onDelete: 'cascade' }),
    requestedAt: createdAt(),
    deliveredAt: at(),
  },
  (table) => [
    index('messages_email_idx').on(table.email, table.requestedAt),
    index('messages_user_idx').on(table.userId),
    check('messages_kind_check', oneOf('kind', messageKinds)),
  ],
)

export const loginKeys = login.table('keys', {
  id: id(),
  publicKey: text().notNull(),
  privateKey: text().notNull(),
  createdAt: createdAt(),
  expiresAt: at(),
})
