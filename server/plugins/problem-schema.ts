import { z } from 'zod'

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string().describe('The phrase of the status.'),
    status: z.int(),
    detail: z.string().describe('Safe to show to a patient.'),
    code: z.string().describe('Never changes; see docs/errors.md.'),
    correlation_id: z.string(),
    errors: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('What was wrong with the input, by field.'),
    limit: z
      .object({ name: z.string(), used: z.number(), limit: z.number(), resets_at: z.string().nullable() })
      .optional()
      .describe('With `plan_limit_reached`: which limit, how much of it is used, and when it starts anew.'),
  })
  .meta({ title: 'Problem', description: 'RFC 9457' })

export type ProblemAnswer = z.output<typeof problemSchema>

const titles = {
  400: 'The request is not valid',
  401: 'No valid token',
  402: 'A limit of the plan is reached',
  403: 'Not allowed',
  404: 'Not found, or not yours to see',
  406: 'The answer cannot take that form',
  409: 'In conflict with what is there',
  410: 'It was there, and is gone',
  412: 'A condition of the request does not hold',
  413: 'Too large',
  415: 'Type not supported',
  416: 'No such range',
  422: 'Understood, but cannot be done',
  423: 'Held by another request',
  429: 'Too many requests',
  500: 'Our fault',
  503: 'Cannot be done just now',
} as const

type ProblemStatus = keyof typeof titles
type ProblemResponse = {
  description: string
  content: { 'application/problem+json': { schema: typeof problemSchema } }
}

type ProblemResponses = Partial<Record<ProblemStatus, ProblemResponse>>

/** The problems that a route may answer with, as entries of its `response` schema; what any may answer with (429, 500, 503) always. */
export function problems<S extends ProblemStatus>(
  ...statuses: readonly S[]
): Record<S | 429 | 500 | 503, ProblemResponse>
export function problems(...statuses: readonly ProblemStatus[]): ProblemResponses {
  const responses: ProblemResponses = {}
  for (const status of [...statuses, 429, 500, 503] as const) {
    responses[status] = {
      description: titles[status],
      content: { 'application/problem+json': { schema: problemSchema } },
    }
  }
  return responses
}

/** An answer that is bytes: documented, and sent as it is. */
export function bytes(mediaType: string, description: string, ...others: string[]) {
  const types = [mediaType, ...others]
  return { description, content: Object.fromEntries(types.map((type) => [type, { schema: z.unknown() }])) }
}

/** Server-sent events; the schema is that of each. */
export function eventsOf(schema: z.ZodType) {
  return { description: 'Events', content: { 'text/event-stream': { schema } } }
}

/** An answer that is a status alone. */
export const noBody = (description: string) => z.unknown().describe(description)
