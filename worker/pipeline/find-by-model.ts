/** A model's part of pass 1: it adds what the rules left, and every fact of it passes the checks of theirs. */
import { createClaimReader } from '../../clinical/extraction/claims/claims.ts'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { withoutStruckWords } from '../../clinical/document/struck-words.ts'
import type { Cover } from '../../clinical/document/places.ts'
import { identifyingRanges, type KnownPeople } from '../../clinical/identity/identifying-ranges.ts'
import { countRefusals, takeAnswer } from './answered-facts.ts'
import { askModel, extentOf, type Model, type Spent } from './ask-model.ts'
import { chunksOf } from './document-chunks.ts'
import type { FindRun } from './pass1-find.ts'
import { placeFacts } from './place-facts.ts'
import { hideRanges, linesAlone } from './sent-text.ts'
import { coverOfData, knownThings } from './stated-facts.ts'

export type ModelUse = Model & {
  /** `unread`: only lines of which the rules made nothing. */
  readonly scope: 'whole' | 'unread'
  /** Null: the text leaves as it is printed. Else the names that are known, which never leave, with whatever else identifies. */
  readonly deidentify: Omit<KnownPeople, 'facts'> | null
}

export type ReadByRules = {
  /** Words of which a rule has made something, or decided that nothing can be made. */
  readonly settledWords: Cover
  readonly unreadLines: readonly number[]
  readonly facts: readonly FoundFact[]
}

/** A model is shown what is said, and its quotes are looked for there: never among words that are struck out. */
export async function findByModel(printed: MappedDocument, ai: ModelUse, rules: ReadByRules): Promise<FindRun> {
  const document = withoutStruckWords(printed)
  const { name: provider, model, promptVersion } = ai.provider
  const sent = sentText(document, ai, rules)
  const { answered, unanswered, spent } = await askModel(document, sent, chunksOf(document), ai)
  const reader = createClaimReader(document)
  const taken = answered.map(({ chunk, facts, modelAnswered }) =>
    takeAnswer(reader, { ...chunk, sent }, facts, { provider, model: modelAnswered, promptVersion }),
  )
  const data = coverOfData(document)
  const known = knownThings(document.structure?.entries ?? [])
  const added = taken
    .flatMap(({ facts }) => facts)
    .filter((fact) => !isSettled(fact, rules.settledWords) && !isSettled(fact, data) && !known.has(fact))
  const { placed, refused } = placeFacts(printed, added)
  const refusals = [
    ...taken.flatMap((each) => each.refusals),
    ...Array.from({ length: refused }, () => 'no_words' as const),
  ]
  return {
    provider,
    modelRequested: model,
    modelAnswered: modelsOf(spent),
    promptVersion,
    tokensIn: sum(spent.map(({ tokensIn }) => tokensIn)),
    tokensOut: sum(spent.map(({ tokensOut }) => tokensOut)),
    costUsd: costOf(spent),
    facts: placed,
    refused: refusals.length,
    refusedWhy: countRefusals(refusals),
    unanswered: {
      ...extentOf(document, sent, unanswered),
      why: Object.fromEntries(
        [...Map.groupBy(unanswered, ({ why }) => why)].map(([why, parts]) => [why, parts.length]),
      ),
    },
  }
}

function sentText(document: MappedDocument, { scope, deidentify }: ModelUse, rules: ReadByRules): string {
  const asked = scope === 'unread' ? linesAlone(document, rules.unreadLines) : document.text
  return deidentify === null
    ? asked
    : hideRanges(asked, identifyingRanges(document, { ...deidentify, facts: rules.facts }))
}

/** Parts may be answered by different models; each is named. */
function modelsOf(spent: readonly Spent[]): string | null {
  const models = [...new Set(spent.map(({ modelAnswered }) => modelAnswered))]
  return models.length === 0 ? null : models.toSorted().join(', ')
}

function costOf(spent: readonly Spent[]): number | null {
  const costs = spent.flatMap(({ costUsd }) => (costUsd === null ? [] : [costUsd]))
  return costs.length === spent.length ? sum(costs) : null
}

/** What a rule has read of these words stands, whatever a model makes of them. */
function isSettled(fact: FoundFact, settledWords: Cover): boolean {
  return fact.spans.slice(0, 1).some(({ start, length }) => settledWords.touches({ start, end: start + length }))
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
