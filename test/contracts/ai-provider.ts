import type { Test } from 'tap'
import type { AiProvider, Question } from '../../worker/providers/ai/provider.ts'

/** What every AI provider must do, tried against a far side that the caller puts up. */
export type FarSide = {
  /** The next answers, in turn. */
  answersWith(...replies: readonly Reply[]): void
  /** What was asked so far. */
  readonly asked: readonly unknown[]
}

export type Reply =
  | {
      readonly kind: 'facts'
      readonly facts: readonly Record<string, unknown>[]
      readonly model?: string
      readonly headers?: Record<string, string>
    }
  | { readonly kind: 'cut_off' }
  | { readonly kind: 'refusal' }
  | { readonly kind: 'malformed'; readonly content: string }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly code?: string
    }
  | { readonly kind: 'reset' }
  /** A recorded or made-up exchange, byte for byte. `ends`: the connection breaks in the middle, or never closes. */
  | {
      readonly kind: 'bytes'
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body: string
      readonly ends: 'whole' | 'broken' | 'never'
    }
  | { readonly kind: 'silence' }

export const question: Question = {
  text: 'Medicines\nMetformin 500 mg twice a day\nNo known allergies',
  documentClass: 'clinic_note',
  locale: 'en-AU',
}

export const metformin = {
  type: 'medication',
  status: 'present',
  quote: 'Metformin 500 mg twice a day',
  name: 'Metformin',
  value: '500',
  unit: 'mg',
  reference_range: null,
  date: null,
  dose: null,
  route: null,
  frequency: 'twice a day',
  reaction: null,
  relationship: null,
  identity_kind: null,
}

type Wanted = { readonly code: string; readonly status?: number; readonly retryAfterMs?: number }

export async function keepsTheContract(t: Test, provider: AiProvider, far: FarSide): Promise<void> {
  const find = () => provider.find(question, { signal: new AbortController().signal })

  far.answersWith({ kind: 'facts', facts: [metformin], model: 'gpt-4o-mini-2024-07-18' })
  const answer = await find()
  t.match(answer.outcome, { kind: 'facts', facts: [{ name: 'Metformin', value: '500' }] }, 'facts come back as said')
  t.equal(answer.modelAnswered, 'gpt-4o-mini-2024-07-18', 'the model that answered is told')
  t.equal(answer.tokensIn, 100)
  t.equal(answer.tokensOut, 50)

  far.answersWith({ kind: 'facts', facts: [] })
  t.same((await find()).outcome, { kind: 'facts', facts: [] }, 'nothing found is an answer')

  const unusable: readonly (readonly [string, Reply, string])[] = [
    ['a cut-off answer', { kind: 'cut_off' }, 'cut_off'],
    ['a refusal', { kind: 'refusal' }, 'refused'],
    ['no JSON', { kind: 'malformed', content: 'Sure! Here are the facts' }, 'malformed'],
    ['another shape', { kind: 'malformed', content: '{"facts":[{"type":"poem"}]}' }, 'malformed'],
  ]
  for (const [what, reply, kind] of unusable) {
    far.answersWith(reply)
    t.match(await find(), { outcome: { kind }, tokensIn: 100, tokensOut: 50 }, `${what} is paid for`)
  }

  const failures: readonly (readonly [string, Reply, Wanted])[] = [
    [
      'a limit',
      { kind: 'status', status: 429, headers: { 'retry-after': '7' } },
      { code: 'ai_rate_limited', status: 429, retryAfterMs: 7000 },
    ],
    ['a limit without a time', { kind: 'status', status: 429 }, { code: 'ai_rate_limited' }],
    ['a spent budget', { kind: 'status', status: 429, code: 'insufficient_quota' }, { code: 'ai_quota_spent' }],
    ['a fault of theirs', { kind: 'status', status: 500 }, { code: 'ai_unavailable' }],
    ['a key that is not theirs', { kind: 'status', status: 401 }, { code: 'ai_misconfigured' }],
    ['a question they will not take', { kind: 'status', status: 400 }, { code: 'ai_refused' }],
    ['a broken connection', { kind: 'reset' }, { code: 'ai_unavailable' }],
  ]
  for (const [what, reply, wanted] of failures) {
    const before = far.asked.length
    far.answersWith(reply)
    const failed: unknown = await find().then(
      () => null,
      (error: unknown) => error,
    )
    t.match(failed, wanted, what)
    t.equal(far.asked.length, before + 1, `${what} is not tried again here`)
  }
}
