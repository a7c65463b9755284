import { sql } from 'drizzle-orm'
import { check, date, index, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf } from './columns.ts'

export const profileTypes = ['self', 'child', 'dependent', 'pet'] as const
export const relationships = [
  'self',
  'spouse',
  'partner',
  'child',
  'parent',
  'sibling',
  'grandparent',
  'grandchild',
  'guardian',
  'dependent',
  'pet_dog',
  'pet_cat',
  'pet_bird',
  'pet_other',
] as const
/** Lowest to highest; each level includes those before it. */
export const accessLevels = ['read_only', 'read_write', 'full_access', 'owner'] as const
export const accountRoles = ['operator'] as const
/** A guardian may also decide for the person (consents, export); given by the owner of a child's or dependent's profile. */
export const grantCapacities = ['delegate', 'guardian'] as const

/** Data subjects. A profile is never an account: the ids never coincide, and every `patient_id` points here. */
export const userProfiles = pgTable(
  'user_profiles',
  {
    id: id(),
    /** Null once the account is closed and its people are erased: the id stays, for the ledger and the audit. */
    accountOwnerId: uuid().references(() => authUsers.id, { onDelete: 'restrict' }),
    profileType: text({ enum: profileTypes }).notNull(),
    relationship: text({ enum: relationships }),
    displayName: text().notNull(),
    fullName: text(),
    dateOfBirth: date({ mode: 'string' }),
    timeZone: text().notNull().default('Australia/Sydney'),
    locale: text().notNull().default('en-AU'),
    /** Since when nothing of this person may be processed, only kept (GDPR, article 18). */
    processingRestrictedAt: at(),
    archivedAt: at(),
    erasedAt: at(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [
    index('user_profiles_account_owner_idx').on(table.accountOwnerId),
    uniqueIndex('user_profiles_one_self_idx')
      .on(table.accountOwnerId)
      .where(sql`profile_type = 'self'`),
    check('user_profiles_profile_type_check', oneOf('profile_type', profileTypes)),
    check('user_profiles_relationship_check', oneOf('relationship', relationships)),
    check('user_profiles_not_an_account_check', sql`id <> account_owner_id`),
    check('user_profiles_owner_check', sql`(account_owner_id is null) = (erased_at is not null)`),
    check('user_profiles_display_name_check', sql`length(display_name) between 1 and 200`),
    check('user_profiles_full_name_check', sql`length(full_name) between 1 and 200`),
  ],
).enableRLS()

/** Delegation. Rows are made by the owner or a delegate who may manage; the grantee accepts or declines, nothing else. */
export const profileAccessPermissions = pgTable(
  'profile_access_permissions',
  {
    id: id(),
    profileId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'cascade' }),
    accountId: uuid()
      .notNull()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    permissionLevel: text({ enum: accessLevels }).notNull(),
    capacity: text({ enum: grantCapacities }).notNull().default('delegate'),
    grantedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    grantedAt: createdAt(),
    startsAt: createdAt(),
    endsAt: at(),
    acceptedAt: at(),
    revokedAt: at(),
  },
  (table) => [
    uniqueIndex('profile_access_permissions_live_idx')
      .on(table.accountId, table.profileId)
      .where(sql`revoked_at is null`),
    index('profile_access_permissions_profile_idx').on(table.profileId),
    check('profile_access_permissions_level_check', oneOf('permission_level', accessLevels)),
    check('profile_access_permissions_capacity_check', oneOf('capacity', grantCapacities)),
    check('profile_access_permissions_guardian_check', sql`capacity <> 'guardian' or permission_level = 'owner'`),
    check('profile_access_permissions_dates_check', sql`ends_at is null or ends_at > starts_at`),
  ],
).enableRLS()

/** Whose record an account has open, for all of its devices. */
export const userProfileContext = pgTable(
  'user_profile_context',
  {
    accountId: uuid()
      .primaryKey()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    currentProfileId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'cascade' }),
    /** The last ten, newest first. */
    recentProfileIds: uuid().array().notNull(),
    lastSwitchedAt: createdAt(),
  },
  (table) => [index('user_profile_context_profile_idx').on(table.currentProfileId)],
).enableRLS()

/** What an account is to the system itself; written by operators' scripts only, never from a token. */
export const accountRoleGrants = pgTable(
  'account_roles',
  {
    accountId: uuid()
      .notNull()
      .references(() => authUsers.id, { onDelete: 'cascade' }),
    role: text({ enum: accountRoles }).notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: 'account_roles_pkey', columns: [table.accountId, table.role] }),
    check('account_roles_role_check', oneOf('role', accountRoles)),
  ],
).enableRLS()

export type UserProfile = typeof userProfiles.$inferSelect
export type NewUserProfile = typeof userProfiles.$inferInsert
