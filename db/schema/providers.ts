import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, createdAt, id, oneOf } from './columns.ts'
import { userProfiles } from './identity.ts'

export const verificationStatuses = ['unverified', 'verified', 'suspended'] as const
export const providerAccessStatuses = ['requested', 'approved', 'declined', 'revoked'] as const
export const providerAccessLevels = ['read_only', 'read_write'] as const
export const accessPurposes = ['treatment', 'second_opinion', 'care_coordination', 'emergency'] as const
/** The parts of a record that access can be limited to; the profile's name and date of birth come with each. */
export const sharedResources = ['document', 'clinical', 'narrative'] as const
export const breakGlassReasons = ['emergency_care', 'safety_incident', 'legal_obligation', 'support_request'] as const

/** Clinicians. Whoever registers is unverified; only an operator verifies, and every edit asks for it again. */
export const providerRegistry = pgTable(
  'provider_registry',
  {
    id: id(),
    accountId: uuid()
      .unique('provider_registry_account_key')
      .references(() => authUsers.id, { onDelete: 'set null' }),
    displayName: text().notNull(),
    profession: text().notNull(),
    registrationAuthority: text().notNull(),
    registrationNumber: text().notNull(),
    verificationStatus: text({ enum: verificationStatuses }).notNull().default('unverified'),
    verifiedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    verifiedAt: at(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [
    uniqueIndex('provider_registry_verified_number_idx')
      .on(table.registrationAuthority, table.registrationNumber)
      .where(sql`verification_status = 'verified'`),
    check('provider_registry_status_check', oneOf('verification_status', verificationStatuses)),
    check('provider_registry_display_name_check', sql`length(display_name) between 1 and 200`),
    check('provider_registry_profession_check', sql`length(profession) between 1 and 100`),
    check('provider_registry_authority_check', sql`length(registration_authority) between 1 and 100`),
    check('provider_registry_number_check', sql`length(registration_number) between 1 and 50`),
  ],
).enableRLS()

/** A clinician's access to a patient: asked for by the clinician, decided by the patient, for a purpose, a part of the record and a time. */
export const patientProviderAccess = pgTable(
  'patient_provider_access',
  {
    id: id(),
    /** No foreign key: a clinician may ask for an id that is nobody's, and is answered as for one that is somebody's. */
    patientId: uuid().notNull(),
    providerId: uuid()
      .notNull()
      .references(() => providerRegistry.id, { onDelete: 'restrict' }),
    status: text({ enum: providerAccessStatuses }).notNull().default('requested'),
    purpose: text({ enum: accessPurposes }).notNull(),
    permissionLevel: text({ enum: providerAccessLevels }).notNull(),
    resourceTypes: text({ enum: sharedResources }).array().notNull(),
    requestedAt: createdAt(),
    decidedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    decidedAt: at(),
    startsAt: at(),
    /** Never open-ended. */
    endsAt: at(),
    revokedAt: at(),
  },
  (table) => [
    uniqueIndex('patient_provider_access_live_idx')
      .on(table.providerId, table.patientId)
      .where(sql`status in ('requested', 'approved')`),
    index('patient_provider_access_patient_idx').on(table.patientId, table.status),
    // What a clinician has asked for lately is counted at each request.
    index('patient_provider_access_asked_idx').on(table.providerId, table.requestedAt),
    check('patient_provider_access_status_check', oneOf('status', providerAccessStatuses)),
    check('patient_provider_access_purpose_check', oneOf('purpose', accessPurposes)),
    check('patient_provider_access_level_check', oneOf('permission_level', providerAccessLevels)),
    check(
      'patient_provider_access_resources_check',
      sql`resource_types <@ array['document', 'clinical', 'narrative'] and cardinality(resource_types) > 0`,
    ),
    check(
      'patient_provider_access_approved_check',
      sql`status <> 'approved' or (starts_at is not null and ends_at > starts_at)`,
    ),
  ],
).enableRLS()

/** Reading without having been granted it, in an emergency or by duty: with a reason, for a short time, and the patient is told. */
export const breakGlassAccesses = pgTable(
  'break_glass_accesses',
  {
    id: id(),
    /** No foreign key: what somebody read outlives their account. */
    accountId: uuid().notNull(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    reasonCode: text({ enum: breakGlassReasons }).notNull(),
    /** In the words of whoever broke the glass; the patient reads it. */
    reason: text().notNull(),
    startsAt: createdAt(),
    endsAt: at().notNull(),
    endedAt: at(),
  },
  (table) => [
    index('break_glass_accesses_account_idx').on(table.accountId, table.endsAt),
    index('break_glass_accesses_patient_idx').on(table.patientId, table.startsAt),
    check('break_glass_accesses_reason_code_check', oneOf('reason_code', breakGlassReasons)),
    check('break_glass_accesses_reason_check', sql`length(btrim(reason)) between 10 and 500`),
    check('break_glass_accesses_time_check', sql`ends_at > starts_at and ends_at <= starts_at + interval '8 hours'`),
  ],
).enableRLS()
