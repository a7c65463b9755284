/** A completion as far as it can be trusted to be one: services that "speak OpenAI" leave out, add and change what they like. */
import { z } from 'zod'
import type { FormOutcome } from './provider.ts'

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
    usage: z
      .object({
        prompt_tokens: count,
        completion_tokens: count,
        prompt_tokens_details: z.object({ cached_tokens: count }).nullish().catch(null),
      })
      .nullish()
      .catch(null),
  })
  .catch(nothing)

export type Completion<Form> = {
  readonly outcome: FormOutcome<Form>
  /** null: not said. */
  readonly model: string | null
  readonly tokensIn: number | null
  /** Of `tokensIn`: had been read before, and cost less. */
  readonly tokensCached: number
  readonly tokensOut: number | null
  /** How much was answered, for when the usage is not said. */
  readonly characters: number
}

export function readCompletion<Form>(body: unknown, form: z.ZodType<Form>): Completion<Form> {
  const { model, choices, usage } = completion.parse(body)
  const [first] = choices
  return {
    outcome: first === undefined ? { kind: 'malformed', content: '', faults: ['no answer'] } : outcomeOf(first, form),
    model: model ?? null,
    tokensIn: usage?.prompt_tokens ?? null,
    tokensCached: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    tokensOut: usage?.completion_tokens ?? null,
    characters: first?.message.content?.length ?? 0,
  }
}

function outcomeOf<Form>(
  { finish_reason: end, message }: z.output<typeof choice>,
  form: z.ZodType<Form>,
): FormOutcome<Form> {
  if (end === 'length') return { kind: 'cut_off' }
  const isRefused = typeof message.refusal === 'string' && message.refusal !== ''
  if (end === 'content_filter' || isRefused) return { kind: 'refused' }
  return valueIn(message.content ?? '', form)
}

const mostFaults = 20

function valueIn<Form>(text: string, form: z.ZodType<Form>): FormOutcome<Form> {
  const json = parseJson(text)
  if (json === undefined) return { kind: 'malformed', content: text, faults: ['not JSON'] }
  const parsed = form.safeParse(json)
  if (parsed.success) return { kind: 'answered', value: parsed.data }
  // Where, and what kind of fault; what stood there is clinical content.
  const faults = parsed.error.issues.map(({ path, code }) => `${path.map(String).join('.') || 'answer'}: ${code}`)
  return { kind: 'malformed', content: text, faults: faults.slice(0, mostFaults) }
}

/** Small models think aloud first, and put what they answer between fences. */
function parseJson(text: string): unknown {
  const said = text.replace(/^\s*<think>[\s\S]*?<\/think>/, '').trim()
  try {
    return JSON.parse(/^```(?:json)?\s*\n([\s\S]*?)\n?```$/.exec(said)?.[1] ?? said)
  } catch {
    return undefined
  }
}
