import { z } from 'zod'
import {
  accessPurposes,
  providerAccessLevels,
  providerAccessStatuses,
  sharedResources,
} from '../../../db/schema/providers.ts'
import { idField, nextCursorField, pageOfList, timeField } from '../fields.ts'

export const requestListQuery = z.object({ patient_id: idField, ...pageOfList })

const share = {
  level: z.enum(providerAccessLevels),
  resources: z.array(z.enum(sharedResources)).min(1).max(sharedResources.length),
}

export const approval = z
  .object({
    ends_at: timeField.describe('Always with an end, within a year.'),
    narrowed: z.object(share).nullish().describe('Less than was asked for; left out: what was asked for.'),
  })
  .meta({ title: 'ProviderApproval' })

export const requestSchema = z
  .object({
    id: idField,
    patient_id: idField,
    provider_id: idField,
    clinician: z.string().nullable().describe('As the registry has them.'),
    status: z.enum(providerAccessStatuses),
    purpose: z.enum(accessPurposes),
    ...share,
    requested_at: timeField,
    decided_at: timeField.nullable(),
    starts_at: timeField.nullable(),
    ends_at: timeField.nullable(),
    revoked_at: timeField.nullable(),
  })
  .meta({ title: 'ProviderRequest' })

export const requestListSchema = z.object({ requests: z.array(requestSchema), next_cursor: nextCursorField })
