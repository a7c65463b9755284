/** The bundled sample documents, read and mapped as the worker does, beside what a person found printed on them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { factStatuses, factTypes, type FoundFact } from '../../clinical/document/found-fact.ts'
import { findFacts } from '../../clinical/extraction/find-facts.ts'
import { mapPages } from '../../worker/pipeline/map/map-pages.ts'
import type { OcrProvider } from '../../worker/providers/ocr/provider.ts'
import { readDocument } from './read-document.ts'

const folder = join(import.meta.dirname, '../../test/fixtures/documents')

const printedSchema = z.object({
  document: z.string(),
  type: z.enum(factTypes),
  text: z.string(),
  value: z.string(),
  unit: z.string(),
  reference_range: z.string(),
  flag: z.string(),
  frequency: z.string(),
  status: z.enum(factStatuses),
  date: z.string(),
})
/** A line of `facts.tsv`; an empty cell is something that is not printed. */
export type PrintedFact = z.infer<typeof printedSchema>

/** What was right of one type of fact, in numbers of facts. */
export type SampleFigures = {
  /** Printed on the documents. */
  readonly printed: number
  /** Found with type, name and status. */
  readonly overlap: number
  /** Found with everything: value, unit, range, flag, frequency and date as well. */
  readonly exact: number
  /** Found, but not printed: each is a fact that nobody stated. */
  readonly extra: number
}

/** By type of fact, over all samples whose facts are written down. */
export async function scoreSamples(ocr: OcrProvider): Promise<Readonly<Record<string, SampleFigures>>> {
  const printed = printedFacts()
  const documents = [...new Set(printed.map(({ document }) => document))]
  const scored: ScoredFact[] = []
  for (const document of documents) {
    const pages = await readDocument({ file: join(folder, document) }, ocr)
    const found = pages === null ? [] : findFacts(mapPages(pages)).facts
    scored.push(
      ...scoreDocument(
        printed.filter((fact) => fact.document === document),
        found,
      ),
    )
  }
  const types = Map.groupBy(scored, ({ type }) => type)
  return Object.fromEntries([...types].map(([type, ofType]) => [type, figuresOf(ofType)]))
}

type ScoredFact = { readonly type: string; readonly outcome: 'exact' | 'overlap' | 'missed' | 'extra' }

/** Each printed fact is met by at most one that was found, the most alike first. */
export function scoreDocument(printed: readonly PrintedFact[], found: readonly FoundFact[]): ScoredFact[] {
  const left = found.map(asPrinted)
  const take = (isIt: (fact: Comparable) => boolean) => {
    const place = left.findIndex(isIt)
    return place === -1 ? null : left.splice(place, 1)
  }
  const exactly = printed.map((fact) => take((other) => columns.every((column) => fact[column] === other[column])))
  const outcomes = printed.map((fact, place): ScoredFact => {
    if (exactly[place] !== null) return { type: fact.type, outcome: 'exact' }
    const isAlike = (other: Comparable) => named.every((column) => fact[column] === other[column])
    return { type: fact.type, outcome: take(isAlike) === null ? 'missed' : 'overlap' }
  })
  return [...outcomes, ...left.map(({ type }): ScoredFact => ({ type, outcome: 'extra' }))]
}

const named = ['type', 'text', 'status'] as const
const columns = [...named, 'value', 'unit', 'reference_range', 'flag', 'frequency', 'date'] as const
type Comparable = Pick<PrintedFact, (typeof columns)[number]>

function asPrinted(fact: FoundFact): Comparable {
  return {
    type: fact.type,
    text: fact.text,
    status: fact.status,
    value: fact.value ?? '',
    unit: fact.unit ?? '',
    reference_range: fact.referenceRange ?? '',
    flag: fact.detail.flag ?? '',
    frequency: fact.detail.frequency ?? '',
    date: fact.date?.iso ?? '',
  }
}

function figuresOf(facts: readonly ScoredFact[]): SampleFigures {
  const count = (...outcomes: readonly ScoredFact['outcome'][]) =>
    facts.filter(({ outcome }) => outcomes.includes(outcome)).length
  return {
    printed: count('exact', 'overlap', 'missed'),
    overlap: count('exact', 'overlap'),
    exact: count('exact'),
    extra: count('extra'),
  }
}

function printedFacts(): PrintedFact[] {
  const [head = '', ...lines] = readFileSync(join(folder, 'facts.tsv'), 'utf8').trimEnd().split('\n')
  const names = head.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    return printedSchema.parse(Object.fromEntries(names.map((column, place) => [column, cells[place] ?? ''])))
  })
}
