/**
 * Pass 1: every fact of a file, verbatim and tied to its words. Rules settle what they can settle; a model, where one is
 * set up, adds what is left and changes none of it.
 */
import type { FindFacts, Span } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { coverOf } from '../../clinical/document/places.ts'
import { findByModel, type ModelUse } from './find-by-model.ts'
import type { RefusalCounts } from './answered-facts.ts'
import { placeFacts, type PlacedFact } from './place-facts.ts'
import { forRules, withStated } from './stated-facts.ts'

/** Changes when the same text may give other facts. */
export const findVersion = '7'

type RuleFindings = ReturnType<FindFacts>

export type FindDeps = {
  readonly rules: (document: MappedDocument) => RuleFindings | Promise<RuleFindings>
  readonly ai: ModelUse | null
}

/** What a model did not answer, and why: the words of `unansweredReasons` with the number of parts. */
export type Unanswered = {
  readonly lines: number
  readonly characters: number
  readonly why: Readonly<Record<string, number>>
}

/** One provider's part in a run, as it is kept. */
export type FindRun = {
  readonly provider: string
  readonly modelRequested: string
  /** Each that answered; null: none did. */
  readonly modelAnswered: string | null
  readonly promptVersion: string | null
  readonly tokensIn: number
  readonly tokensOut: number
  /** null: one of the models has no price that we know. */
  readonly costUsd: number | null
  readonly facts: readonly PlacedFact[]
  readonly refused: number
  readonly refusedWhy: RefusalCounts
  readonly unanswered: Unanswered
}

export type FoundInFile = {
  readonly runs: readonly FindRun[]
  readonly linesTotal: number
  readonly linesUnread: number
}

export async function findInFile(document: MappedDocument, deps: FindDeps): Promise<FoundInFile> {
  const { stated, facts, unreadLines, ruledOut } = withStated(document, await deps.rules(forRules(document)))
  const byEntries = stated.length === 0 ? [] : [settleByRules(document, { facts: stated, unreadLines, ruledOut }).run]
  const byRules = settleByRules(document, { facts, unreadLines, ruledOut })
  const settled = [...byEntries, byRules.run]
  const settledWords = coverOf([
    ...ruledOut,
    ...settled.flatMap((run) => run.facts.flatMap(({ fact }) => fact.spans.flatMap(nameRange))),
  ])
  const rules = { settledWords, unreadLines, facts }
  const byModel = deps.ai === null ? null : await findByModel(document, deps.ai, rules)
  const unread = byModel === null ? byRules.unreadLines : withoutClaimed(document, byRules.unreadLines, byModel.facts)
  return {
    runs: byModel === null ? settled : [...settled, byModel],
    linesTotal: document.lines.length,
    linesUnread: unread.length,
  }
}

function settleByRules(document: MappedDocument, { facts, unreadLines }: RuleFindings) {
  const { placed, refused } = placeFacts(document, facts)
  const model = facts[0]?.foundBy.model ?? 'rules'
  const run: FindRun = {
    provider: 'local',
    modelRequested: model,
    modelAnswered: model,
    promptVersion: null,
    tokensIn: 0,
    tokensOut: 0,
    costUsd: 0,
    facts: placed,
    refused,
    refusedWhy: {},
    unanswered: { lines: 0, characters: 0, why: {} },
  }
  return { run, unreadLines }
}

const nameRange = ({ role, start, length }: Span) => (role === 'name' ? [{ start, end: start + length }] : [])

function withoutClaimed(
  document: MappedDocument,
  unread: readonly number[],
  facts: readonly PlacedFact[],
): readonly number[] {
  const claimed = coverOf(
    facts.flatMap(({ sources }) => sources.map((each) => ({ start: each.textStart, end: each.textStart + 1 }))),
  )
  return unread.filter((index) => {
    const line = document.lines[index]
    return line !== undefined && !claimed.touches({ start: line.start, end: line.start + line.length })
  })
}
