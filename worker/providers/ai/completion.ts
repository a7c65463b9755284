/** A completion as far as it can be trusted to be one: services that "speak OpenAI" leave out, add and change what they like. */
import { z } from 'zod'
import { answer, type AnswerOutcome } from './provider.ts'

const count = z.int().min(0).nullish().catch(null)
const part = z.object({ text: z.string() })
const content = z.union([z.string(), z.array(part).transform((parts) => parts.map(({ text }) => text).join(''))])
const choice = z.object({
  finish_reason: z.string().nullish().catch(null),
  message: z.object({ content: content.nullish().catch(null), refusal: z.string().nullish().catch(null) }),
})
const nothing = { model: null, choices: [], usage: null }
const completion = z
  .object({
    model: z.string().min(1).nullish().catch(null),
    choices: z.array(choice).catch([]),
    usage: z.object({ prompt_tokens: count, completion_tokens: count }).nullish().catch(null),
  })
  .catch(nothing)

export type Completion = {
  readonly outcome: AnswerOutcome
  /** null: not said. */
  readonly model: string | null
  readonly tokensIn: number | null
  readonly tokensOut: number | null
  /** How much was answered, for when the usage is not said. */
  readonly characters: number
}

export function readCompletion(body: unknown): Completion {
  const { model, choices, usage } = completion.parse(body)
  const [first] = choices
  return {
    outcome: first === undefined ? { kind: 'malformed', content: '', faults: ['no answer'] } : outcomeOf(first),
    model: model ?? null,
    tokensIn: usage?.prompt_tokens ?? null,
    tokensOut: usage?.completion_tokens ?? null,
    characters: first?.message.content?.length ?? 0,
  }
}

function outcomeOf({ finish_reason: end, message }: z.output<typeof choice>): AnswerOutcome {
  if (end === 'length') return { kind: 'cut_off' }
  const isRefused = typeof message.refusal === 'string' && message.refusal !== ''
  if (end === 'content_filter' || isRefused) return { kind: 'refused' }
  return factsIn(message.content ?? '')
}

const mostFaults = 20

function factsIn(text: string): AnswerOutcome {
  const json = parseJson(text)
  if (json === undefined) return { kind: 'malformed', content: text, faults: ['not JSON'] }
  const parsed = answer.safeParse(json)
  if (parsed.success) return { kind: 'facts', facts: parsed.data.facts }
  // Where, and what kind of fault; what stood there is clinical content.
  const faults = parsed.error.issues.map(({ path, code }) => `${path.map(String).join('.') || 'answer'}: ${code}`)
  return { kind: 'malformed', content: text, faults: faults.slice(0, mostFaults) }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
