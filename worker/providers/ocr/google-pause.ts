import { z } from 'zod'

/** `google.rpc.RetryInfo` as the client decodes it: seconds are a 64 bit number of its own kind. */
const retryInfo = z.object({
  retryDelay: z.object({ seconds: z.coerce.string().pipe(z.coerce.number()), nanos: z.coerce.number().default(0) }),
})
const details = z.object({ statusDetails: z.array(z.unknown()) })

/** What an error of Google's asks for in its details; null when it says nothing of the kind. */
export function retryDelayMs(error: unknown): number | null {
  const told = details.safeParse(error).data?.statusDetails ?? []
  const delays = told.flatMap((each) => {
    const { success, data } = retryInfo.safeParse(each)
    return success ? [data.retryDelay.seconds * 1_000 + data.retryDelay.nanos / 1_000_000] : []
  })
  return delays.length === 0 ? null : Math.max(0, ...delays)
}

/** Seconds or a date; null for anything else. */
export function retryAfterMs(header: string | null): number | null {
  if (header === null) return null
  const seconds = Number(header)
  const waitMs = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - Date.now()
  return Number.isFinite(waitMs) ? Math.max(0, waitMs) : null
}
