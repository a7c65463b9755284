import { z } from 'zod'
import { planTypes } from '../../../db/schema/usage.ts'
import { idField } from '../fields.ts'

const counter = z.object({
  used: z.number(),
  limit: z.number().nullable().describe('null = unlimited'),
  percentage: z.number().nullable(),
})

export const usageSchema = z
  .object({
    current_period: z.object({ start: z.string(), end: z.string(), resets_at: z.string() }),
    usage: z.object({
      shell_files: counter,
      pages: counter,
      ai_tokens: counter,
      storage: z.object({
        used_mb: z.number(),
        limit_mb: z.number().nullable(),
        percentage: z.number().nullable(),
      }),
    }),
    status: z.object({
      plan_type: z.enum(planTypes),
      over_limit: z.boolean(),
      upgrade_required: z.boolean(),
      enforced: z.boolean(),
    }),
    warnings: z
      .array(z.object({ limit_name: z.string(), level: z.enum(['near', 'reached', 'over']) }))
      .describe('Limits that are near, reached or passed.'),
  })
  .meta({ title: 'UsageStatus' })

export const usageQuery = z.object({ patient_id: idField })

export const checkQuery = z.object({
  patient_id: idField,
  bytes: z.coerce.number().int().min(0),
  pages: z.coerce.number().int().min(1).default(1),
})

export const planListSchema = z.object({
  plans: z.array(
    z
      .object({
        plan_type: z.enum(planTypes),
        display_name: z.string(),
        shell_files_limit: z.number().nullable(),
        pages_limit: z.number().nullable(),
        ai_tokens_limit: z.number().nullable(),
        storage_mb_limit: z.number().nullable(),
        monthly_price: z.string(),
      })
      .meta({ title: 'Plan' }),
  ),
})

export const permissionSchema = z
  .object({
    allowed: z.boolean(),
    enforced: z.boolean().describe('False: limits only warn.'),
    passed: z
      .array(
        z.object({
          limit_name: z.string(),
          used: z.number(),
          limit: z.number(),
          requested: z.number(),
          resets_at: z.string().nullable(),
        }),
      )
      .describe('The limits that this file would pass.'),
    usage: usageSchema,
  })
  .meta({ title: 'UploadPermission' })
