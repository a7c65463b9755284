import { z } from 'zod'
import { consentCapacities, consentDecisions, consentPurposes } from '../../../db/schema/consents.ts'
import { idField, timeField } from '../fields.ts'

export const consentParams = z.object({ id: idField, purpose: z.enum(consentPurposes) })

export const consentDecision = z
  .object({
    decision: z.enum(consentDecisions),
    expires_at: timeField.nullish().describe('Of what is granted; left out: until it is withdrawn.'),
    policy_version: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/)
      .nullish()
      .describe('Of the text that the person was shown.'),
  })
  .meta({ title: 'ConsentDecision' })

export const consentSchema = z
  .object({
    purpose: z.enum(consentPurposes),
    holds: z.boolean().describe('May it be done just now?'),
    decision: z.enum(consentDecisions).nullable().describe('Null where nobody has decided yet.'),
    decided_at: timeField.nullable().describe('Since when.'),
    decided_by: idField.nullable(),
    capacity: z.enum(consentCapacities).nullable(),
    policy_version: z.string().nullable(),
    expires_at: timeField.nullable(),
  })
  .meta({ title: 'Consent' })

export const consentListSchema = z.object({ consents: z.array(consentSchema).describe('Every purpose, once.') })
