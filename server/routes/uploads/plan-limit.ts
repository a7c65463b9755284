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
const permissionSchema = z.object({ allowed: z.boolean(), passed: z.array(spentSchema) })

/** Throws a 402 where `check_upload_allowed` says no. */
export function refuseSpentLimit(answer: unknown): void {
  const { allowed, passed } = permissionSchema.parse(answer)
  if (!allowed) throw spentLimit(passed[0])
}

/** The same, told by `open_upload` and decided for good by `register_shell_file`: the DETAIL of their EX402. */
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
