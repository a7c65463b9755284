import { z } from 'zod'
import type { AppError } from '../../../platform/errors.ts'
import { planLimitReached } from './errors.ts'

const spentSchema = z.object({ limit_name: z.string(), used: z.number(), limit: z.number() })
const permissionSchema = z.object({
  allowed: z.boolean(),
  passed: z.array(spentSchema),
  resets_at: z.string().nullable(),
})
const raisedSchema = spentSchema.extend({ resets_at: z.string().nullable() })

/** Throws a 402 where `check_upload_allowed` says no. */
export function refuseSpentLimit(answer: unknown): void {
  const permission = permissionSchema.parse(answer)
  if (permission.allowed) return
  const [spent] = permission.passed
  throw spent === undefined ? planLimitReached() : spentLimit(spent, permission.resets_at)
}

/** The same, decided for good by `register_shell_file`: the DETAIL of its EX402. */
export function spentLimitOf(detail: string | null): AppError {
  const spent = raisedSchema.safeParse(parse(detail))
  return spent.success ? spentLimit(spent.data, spent.data.resets_at) : planLimitReached()
}

/** Says which limit, how much of it is used, and when it starts anew. Storage never does. */
function spentLimit(spent: z.output<typeof spentSchema>, resetsAt: string | null): AppError {
  const { limit_name: name, used, limit } = spent
  const resets = resetsAt === null || name === 'storage' ? null : new Date(resetsAt).toISOString()
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
