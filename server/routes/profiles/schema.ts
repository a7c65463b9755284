import { z } from 'zod'
import { profileTypes, relationships } from '../../../db/schema/identity.ts'
import { dateField, idField, timeField } from '../fields.ts'

const name = z.string().trim().min(1).max(200)

export const profileFields = z
  .object({
    display_name: name,
    full_name: name.nullish(),
    profile_type: z.enum(profileTypes),
    relationship: z.enum(relationships).nullish(),
    date_of_birth: dateField.nullish(),
    time_zone: z.string().max(60).refine(isTimeZone, 'is not a time zone').optional(),
    locale: z.enum(['en-AU', 'en-US']).optional(),
  })
  .meta({ title: 'NewProfile' })

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

export const profileListSchema = z.object({ profiles: z.array(profileSchema) })
export const profileParams = z.object({ id: idField })

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
