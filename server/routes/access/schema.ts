import { z } from 'zod'
import { accessLevels, grantCapacities } from '../../../db/schema/identity.ts'
import { idField, nextCursorField, pageOfList, timeField } from '../fields.ts'

export const grantParams = z.object({ id: idField, grant_id: idField })
export const grantListQuery = z.object(pageOfList)

export const newGrant = z
  .object({
    account_id: idField.describe('Who is let in: the `sub` of their token.'),
    level: z.enum(accessLevels).describe('Never more than one holds oneself.'),
    capacity: z
      .enum(grantCapacities)
      .default('delegate')
      .describe('`guardian`: decides for a child or a dependent; always at level `owner`.'),
    starts_at: timeField.nullish().describe('Left out: now.'),
    ends_at: timeField.nullish().describe('Left out: until it is taken away.'),
  })
  .meta({ title: 'NewAccessGrant' })

export const grantSchema = z
  .object({
    id: idField,
    profile_id: idField,
    account_id: idField,
    level: z.enum(accessLevels),
    capacity: z.enum(grantCapacities),
    status: z
      .enum(['offered', 'not_begun', 'active', 'ended', 'revoked'])
      .describe('`offered`: opens nothing until it is accepted.'),
    granted_by: idField.nullable().describe('Null where that account has been closed.'),
    granted_at: timeField,
    starts_at: timeField,
    ends_at: timeField.nullable(),
    accepted_at: timeField.nullable(),
    revoked_at: timeField.nullable(),
  })
  .meta({ title: 'AccessGrant' })

export const grantListSchema = z.object({ grants: z.array(grantSchema), next_cursor: nextCursorField })
