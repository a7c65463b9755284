import { z } from 'zod'
import { planChangeTimes } from '../../../db/queries/subscriptions.ts'
import { planTypes } from '../../../db/schema/usage.ts'
import { dateField, idField, timeField } from '../fields.ts'

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
      upgrade_prompt: z.boolean().describe('A limit is near, and larger plans are to be shown.'),
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

export const historyQuery = z.object({
  patient_id: idField.optional().describe('Of one person; of all of the account, if left out.'),
  months: z.coerce
    .number()
    .int()
    .min(1)
    .max(120)
    .default(12)
    .describe('The newest of those in which anything was used.'),
})

export const historySchema = z
  .object({
    months: z.array(
      z
        .object({
          month_start: dateField,
          patient_id: idField,
          shell_files: z.int(),
          pages: z.int(),
          ai_tokens: z.int(),
          ai_seconds: z.int(),
          storage_bytes_added: z.int().describe('Less than nothing where more was deleted than uploaded.'),
          storage_bytes: z.int().describe('As it stood when the month ended, or stands now.'),
        })
        .meta({ title: 'UsageOfMonth' }),
    ),
  })
  .meta({ title: 'UsageHistory' })

export const subscriptionBody = z
  .object({
    account_id: idField,
    plan_type: z.enum(planTypes),
    effective: z.enum(planChangeTimes).default('now').describe('`next_cycle`: when the month of the account is over.'),
  })
  .meta({ title: 'SubscriptionChange' })

export const subscriptionSchema = z
  .object({ account_id: idField, plan_type: z.enum(planTypes), effective_from: timeField })
  .meta({ title: 'Subscription' })
