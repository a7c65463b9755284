/**
 * Pass 1: every fact of a file, verbatim and tied to its words. Rules settle what they can settle; a model, where one is
 * set up, adds what is left and changes none of it.
 */
import type { FindFacts, FoundFact, Span } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { coverOf, type Cover } from '../../clinical/document/places.ts'
import { withoutStruckWords } from '../../clinical/document/struck-words.ts'
import { aiAnswerCutOff, aiAnswerMalformed, aiRefused, type AiProvider, type Answer } from '../providers/ai/provider.ts'
import type { Question } from '../providers/ai/provider.ts'
import { coverOfData, forRules, knownThings, withStated } from './stated-facts.ts'
import { takeAnswer, type AnsweredBy, type Chunk } from './answered-facts.ts'
import { placeFacts, type PlacedFact } from './place-facts.ts'

/** Changes when the same text may give other facts. */
export const findVersion = '4'

type RuleFindings = ReturnType<FindFacts>

export type FindDeps = {
  readonly rules: (document: MappedDocument) => RuleFindings | Promise<RuleFindings>
  /** `ask` keeps within the service's limits and calls it. */
  readonly ai: { readonly provider: AiProvider; ask(question: Question): Promise<Answer> } | null
}

/** One provider's part in a run, as it is kept. */
export type FindRun = {
  readonly provider: string
  readonly modelRequested: string
  readonly modelAnswered: string
  readonly promptVersion: string | null
  readonly tokensIn: number
  readonly tokensOut: number
  readonly costUsd: number
  readonly facts: readonly PlacedFact[]
  readonly refused: number
}

export type FoundInFile = {
  readonly runs: readonly FindRun[]
  readonly linesTotal: number
  readonly linesUnread: number
}

export async function findInFile(document: MappedDocument, deps: FindDeps): Promise<FoundInFile> {
  const { stated, facts, unreadLines } = withStated(document, await deps.rules(forRules(document)))
  const byEntries = stated.length === 0 ? [] : [settleByRules(document, { facts: stated, unreadLines }).run]
  const byRules = settleByRules(document, { facts, unreadLines })
  const settled = [...byEntries, byRules.run]
  const byModel =
    deps.ai === null
      ? null
      : await findByModel(
          document,
          deps.ai,
          settled.flatMap((run) => run.facts),
        )
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
  }
  return { run, unreadLines }
}

/** A model is shown what is said, and its quotes are looked for there: never among words that are struck out. */
async function findByModel(
  printed: MappedDocument,
  ai: NonNullable<FindDeps['ai']>,
  settled: readonly PlacedFact[],
): Promise<FindRun> {
  const document = withoutStruckWords(printed)
  const chunks = chunksOf(document)
  const answers = await Promise.all(chunks.map((chunk) => askAbout(document, chunk, ai)))
  const answered = answers.filter((each) => each !== null)
  const { name: provider, model, promptVersion } = ai.provider
  const taken = answered.map(({ chunk, answer }) => {
    const by: AnsweredBy = { provider, model: answer.modelAnswered, promptVersion }
    return takeAnswer(document, chunk, answer.facts, by)
  })
  const settledWords = coverOf(settled.flatMap(({ fact }) => fact.spans.flatMap(nameRange)))
  const data = coverOfData(document)
  const known = knownThings(document.structure?.entries ?? [])
  const added = taken
    .flatMap(({ facts }) => facts)
    .filter((fact) => !isSettled(fact, settledWords) && !isSettled(fact, data) && !known.has(fact))
  const { placed, refused } = placeFacts(printed, added)
  return {
    provider,
    modelRequested: model,
    modelAnswered: answered[0]?.answer.modelAnswered ?? model,
    promptVersion,
    tokensIn: sum(answered.map(({ answer }) => answer.tokensIn)),
    tokensOut: sum(answered.map(({ answer }) => answer.tokensOut)),
    costUsd: sum(answered.map(({ answer }) => answer.costUsd ?? 0)),
    facts: placed,
    refused: refused + sum(taken.map((each) => each.refused)),
  }
}

/** A wrong form is asked for once more; a part that stays unanswered is left to the rules, the others go on. */
async function askAbout(
  document: MappedDocument,
  chunk: Chunk,
  ai: NonNullable<FindDeps['ai']>,
): Promise<{ chunk: Chunk; answer: Answer } | null> {
  const question: Question = {
    text: document.text.slice(chunk.start, chunk.end).replaceAll(/ {2,}/g, ' '),
    documentClass: document.documentClass,
    locale: document.locale,
  }
  for (const attempt of ['first', 'repair'] as const) {
    try {
      return { chunk, answer: await ai.ask(question) }
    } catch (error) {
      if (aiRefused.matches(error) || aiAnswerCutOff.matches(error)) return null
      if (!aiAnswerMalformed.matches(error)) throw error
      if (attempt === 'repair') return null
    }
  }
  return null
}

const chunkLength = 6000

/** Cut where a section begins once there is enough, and between lines in any case. */
function chunksOf(document: MappedDocument): Chunk[] {
  const data = coverOfData(document)
  const sectionStarts = new Set(document.sections.map((section) => section.firstLine))
  const chunks: { start: number; end: number }[] = []
  let isAfterData = false
  document.lines.forEach((line, index) => {
    // What the file states as data is known already.
    if (data.touches({ start: line.start, end: line.start + line.length })) {
      isAfterData = true
      return
    }
    const last = chunks.at(-1)
    const length = last === undefined ? 0 : line.start + line.length - last.start
    const isCut =
      last === undefined ||
      isAfterData ||
      length > chunkLength ||
      (length > chunkLength / 2 && sectionStarts.has(index))
    isAfterData = false
    if (isCut) chunks.push({ start: line.start, end: line.start + line.length })
    else last.end = line.start + line.length
  })
  return chunks.filter((chunk) => document.text.slice(chunk.start, chunk.end).trim() !== '')
}

/** What a rule has read of these words stands, whatever a model makes of them. */
function isSettled(fact: FoundFact, settledWords: Cover): boolean {
  return fact.spans.slice(0, 1).some(({ start, length }) => settledWords.touches({ start, end: start + length }))
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

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0)
