/**
 * Asks a model about a document, part by part and some side by side. What it does not finish is asked for in two parts;
 * what is in a wrong form once more, with its faults. A part that stays unanswered is told, and costs the others nothing.
 */
import pLimit from 'p-limit'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import {
  aiMisconfigured,
  aiQuotaSpent,
  aiRefused,
  type AiProvider,
  type Answer,
  type AnswerOutcome,
  type AnsweredFact,
  type Question,
} from '../providers/ai/provider.ts'
import { halvesOf, linesIn, type Chunk } from './document-chunks.ts'

/** Why a part has no answer. `misconfigured` and `quota_spent` are the operator's to mend. */
export const unansweredReasons = ['cut_off', 'refused', 'malformed', 'misconfigured', 'quota_spent'] as const
export type UnansweredReason = (typeof unansweredReasons)[number]

export type Model = {
  readonly provider: AiProvider
  /** Keeps within the service's limits and calls it. */
  ask(question: Question): Promise<Answer>
}

export type AnsweredPart = {
  readonly chunk: Chunk
  readonly modelAnswered: string
  readonly facts: readonly AnsweredFact[]
}
export type UnansweredPart = { readonly chunk: Chunk; readonly why: UnansweredReason }
export type Spent = Pick<Answer, 'modelAnswered' | 'tokensIn' | 'tokensOut' | 'costUsd'>

export type Asked = {
  readonly answered: readonly AnsweredPart[]
  readonly unanswered: readonly UnansweredPart[]
  /** Of every answer, those of no use among them. */
  readonly spent: readonly Spent[]
}

const atOnce = 4
const mostCuts = 4

/**
 * `sent` has the document's length and is what leaves the machine. A passing failure (busy, away) is thrown once the
 * questions under way have their answers: whoever keeps these need not ask them again.
 */
export async function askModel(
  document: MappedDocument,
  sent: string,
  chunks: readonly Chunk[],
  model: Model,
): Promise<Asked> {
  const limit = pLimit(atOnce)
  const answered: AnsweredPart[] = []
  const unanswered: UnansweredPart[] = []
  const spent: Spent[] = []
  let closed: UnansweredReason | null = null
  let failure: { readonly error: unknown } | null = null

  async function reply(chunk: Chunk, repair: Question['repair']): Promise<AnswerOutcome | UnansweredReason | null> {
    if (failure !== null) return null
    if (closed !== null) return closed
    const text = sent.slice(chunk.start, chunk.end).replaceAll(/ {2,}/g, ' ')
    const { documentClass, locale } = document
    try {
      const answer = await model.ask({ text, documentClass, locale, repair })
      spent.push(answer)
      if (answer.outcome.kind === 'facts')
        answered.push({ chunk, modelAnswered: answer.modelAnswered, facts: answer.outcome.facts })
      return answer.outcome
    } catch (error) {
      if (aiRefused.matches(error)) return 'refused'
      closed = closingReason(error)
      if (closed === null) failure ??= { error }
      return closed
    }
  }

  async function about(chunk: Chunk, cuts: number): Promise<void> {
    let outcome = await limit(() => reply(chunk, null))
    if (isMalformed(outcome)) {
      const { content, faults } = outcome
      outcome = await limit(() => reply(chunk, { content, faults }))
    }
    if (outcome === null) return
    const why = typeof outcome === 'string' ? outcome : outcome.kind
    if (why === 'facts') return
    const halves = why === 'cut_off' && cuts < mostCuts ? halvesOf(document, chunk) : null
    if (halves === null) unanswered.push({ chunk, why })
    else await Promise.all(halves.map((half) => about(half, cuts + 1)))
  }

  await Promise.all(chunks.filter((chunk) => isAsked(sent, chunk)).map((chunk) => about(chunk, 0)))
  throwIfFailed(failure)
  return { answered: inOrder(answered), unanswered: inOrder(unanswered), spent }
}

function inOrder<Part extends { readonly chunk: Chunk }>(parts: readonly Part[]): Part[] {
  return parts.toSorted((a, b) => a.chunk.start - b.chunk.start)
}

/** How much of what was to be asked has no answer. */
export function extentOf(document: MappedDocument, sent: string, parts: readonly UnansweredPart[]) {
  const lines = parts
    .flatMap(({ chunk }) => linesIn(document, chunk))
    .filter(({ start, length }) => isAsked(sent, { start, end: start + length }))
  return {
    lines: lines.length,
    characters: lines.reduce((sum, { start, length }) => sum + sent.slice(start, start + length).trim().length, 0),
  }
}

const isAsked = (sent: string, { start, end }: Chunk) => sent.slice(start, end).trim() !== ''

const isMalformed = (
  outcome: AnswerOutcome | UnansweredReason | null,
): outcome is Extract<AnswerOutcome, { kind: 'malformed' }> =>
  outcome !== null && typeof outcome !== 'string' && outcome.kind === 'malformed'

function closingReason(error: unknown): UnansweredReason | null {
  if (aiMisconfigured.matches(error)) return 'misconfigured'
  return aiQuotaSpent.matches(error) ? 'quota_spent' : null
}

function throwIfFailed(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error
}
