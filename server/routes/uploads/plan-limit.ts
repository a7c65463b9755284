import { z } from 'zod'
import type { AppError } from '../../../platform/errors.ts'
import { planLimitReached } from './errors.ts'

const spentSchema = z.object({
  limit_name: z.string(),
  used: z.number(),
  limit: z.number(),
  /** Null for storage, which no new month gives back. */
  resets_at: z.string().nullable(),
})

/** A 402 for the DETAIL of an EX402: `open_upload` tells it beforehand, `register_shell_file` decides it for good. */
export function spentLimitOf(detail: string | null): AppError {
  return spentLimit(spentSchema.safeParse(parse(detail)).data)
}

/** Says which limit, how much of it is used, and when it starts anew. */
function spentLimit(spent: z.output<typeof spentSchema> | undefined): AppError {
  if (spent === undefined) return planLimitReached()
  const { limit_name: name, used, limit, resets_at: resetsAt } = spent
  const resets = resetsAt === null ? null : new Date(resetsAt).toISOString()
  const until = resets === null ? '' : ` It starts anew on ${resets.slice(0, 10)}.`
  return planLimitReached({
    detail: `${used} of ${limit} (${name.replaceAll('_', ' ')}) are used.${until} What is stored stays readable.`,
    limit: { name, used, limit, resets_at: resets },
  })
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}
