import { z } from 'zod'
import { profileTypes, relationships } from '../../../db/schema/identity.ts'
import { dateField, idField, timeField } from '../fields.ts'

const name = z.string().trim().min(1).max(200)
const timeZone = z.string().max(60).refine(isTimeZone, 'is not a time zone')
const locale = z.enum(['en-AU', 'en-US'])
const birthDate = dateField.refine(hasBegun, 'lies in the future')

export const profileFields = z
  .object({
    display_name: name,
    full_name: name.nullish(),
    profile_type: z.enum(profileTypes),
    relationship: z.enum(relationships).nullish(),
    date_of_birth: birthDate.nullish(),
    time_zone: timeZone.optional(),
    locale: locale.optional(),
  })
  .meta({ title: 'NewProfile' })

/** What is left out stays as it is; null empties a field. */
export const profileChanges = z
  .object({
    display_name: name.optional(),
    full_name: name.nullish(),
    date_of_birth: birthDate.nullish(),
    relationship: z.enum(relationships).nullish(),
    time_zone: timeZone.optional(),
    locale: locale.optional(),
  })
  .refine((changes) => Object.values(changes).some((value) => value !== undefined), 'names nothing to change')
  .meta({ title: 'ProfileChanges' })

export const profileSchema = z
  .object({
    id: idField,
    display_name: z.string(),
    full_name: z.string().nullable(),
    profile_type: z.enum(profileTypes),
    relationship: z.enum(relationships).nullable(),
    date_of_birth: dateField.nullable(),
    time_zone: z.string(),
    locale: z.string(),
    is_own: z.boolean().describe('False where somebody else has granted access.'),
    created_at: timeField,
    updated_at: timeField,
  })
  .meta({ title: 'Profile' })

export const profileContextSchema = z
  .object({
    current_profile_id: idField.nullable().describe('Null until the first switch, or when it is not reached any more.'),
    recent_profile_ids: z.array(idField).describe('The last ten, newest first.'),
  })
  .meta({ title: 'ProfileContext' })
export const profileListSchema = z.object({ profiles: z.array(profileSchema), ...profileContextSchema.shape })

/** Whether this day has begun anywhere on Earth: a child may be born where it is already tomorrow. */
function hasBegun(day: string): boolean {
  return Date.parse(day) <= Date.now() + 14 * 3_600_000
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
