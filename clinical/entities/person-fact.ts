/** What people say of facts: a correction of what was found, or a fact of their own; and what either becomes in the record. */
import { z } from 'zod'
import type { NewCode, RecordEntry } from '../../db/queries/clinical.ts'
import type { CorrectedFact } from '../../db/queries/fact-decisions.ts'
import { codeWithSearch, type SearchCodes } from '../coding/code-search.ts'
import { codeFact, type Candidate, type Coding } from '../coding/coding.ts'
import {
  factStatuses,
  type FactDetail,
  type FactType,
  type FoundDate,
  type FoundFact,
  type SourceCode,
} from '../document/found-fact.ts'
import { readFactDetail, readFoundDate } from '../document/stored-fact.ts'
import { admitByType } from './index.ts'
import { codeRows, entryOf, type FileOfRecord } from './record-change.ts'

/** What a fact says, whoever says it. */
export type StandingFact = Omit<FoundFact, 'spans' | 'foundBy' | 'strength'>

/** What is named is changed; null takes it away. */
export type FactChanges = {
  readonly text?: string | undefined
  readonly status?: FoundFact['status'] | undefined
  readonly value?: string | null | undefined
  readonly unit?: string | null | undefined
  readonly referenceRange?: string | null | undefined
  /** ISO 8601, as exact as it is known. */
  readonly date?: string | null | undefined
  readonly detail?: Readonly<Record<string, string | null>> | undefined
}

/** The concept of other words, the codes of another name and the UCUM code of another unit do not stay. */
export function applyChanges(fact: StandingFact, changes: FactChanges): StandingFact {
  const { text = fact.text, status = fact.status, value = fact.value, unit = fact.unit } = changes
  const { referenceRange = fact.referenceRange } = changes
  const isRenamed = text !== fact.text
  return {
    type: fact.type,
    text,
    status,
    value,
    unit,
    referenceRange,
    date: changes.date === undefined ? fact.date : dateByPerson(fact, changes.date),
    detail: changedDetail(fact, changes),
    concept: isRenamed ? null : fact.concept,
  }
}

/** What a person has said before, as it is kept. */
export function readCorrected(type: FactType, stored: unknown): StandingFact {
  const { fact_text: text, fact_status: status, reference_range: referenceRange, ...rest } = corrected.parse(stored)
  const { found_date: date, detail, value, unit, concept } = rest
  return {
    type,
    text,
    status,
    value,
    unit,
    referenceRange,
    date: readFoundDate(date),
    detail: readFactDetail(detail),
    concept,
  }
}

const corrected = z.object({
  fact_text: z.string(),
  fact_status: z.enum(factStatuses),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  reference_range: z.string().nullable(),
  found_date: z.unknown(),
  detail: z.unknown(),
  concept: z.string().nullable(),
})

/** A fact that nothing was found for. */
export function newFact(type: FactType, text: string, changes: Omit<FactChanges, 'text'>): StandingFact {
  const bare = { type, text, status: 'present', value: null, unit: null, referenceRange: null } as const
  return applyChanges({ ...bare, date: null, detail: {}, concept: null }, changes)
}

export type PersonsFact = {
  readonly stored: CorrectedFact
  readonly entry: RecordEntry | null
  readonly codes: readonly NewCode[]
}

/** `code`: what a person chose; undefined leaves it to the words, null says that there is none. */
export async function decideOnFact(
  file: FileOfRecord,
  fact: StandingFact & { readonly id: string },
  { code, search }: { readonly code: SourceCode | null | undefined; readonly search: SearchCodes },
): Promise<PersonsFact> {
  const { id, ...said } = fact
  const [found] = await codeWithSearch([said], search)
  const coding = withCode(found ?? codeFact(said), code)
  const admission = admitByType[said.type]({ ...said, coding })
  const { text, status, date, ...rest } = said
  return {
    stored: { factText: text, factStatus: status, foundDate: date, ...withoutType(rest) },
    entry: entryOf(admission, { date, shellFileId: file.shellFileId, encounterId: null }),
    codes: codeRows(file.patientId, id, coding),
  }
}

function withoutType({ value, unit, referenceRange, detail, concept }: Omit<StandingFact, 'text' | 'status' | 'date'>) {
  return { value, unit, referenceRange, detail, concept }
}

function withCode(coding: Coding, code: SourceCode | null | undefined): Coding {
  if (code === undefined) return coding
  if (code === null) return { ...coding, selected: null }
  const { system, display } = code
  const chosen: Candidate = {
    system,
    code: code.code,
    display: display ?? code.code,
    score01: 1,
    method: 'person',
    isEquivalent: true,
  }
  const others = coding.candidates.filter((each) => each.system !== system || each.code !== code.code)
  return { candidates: [chosen, ...others], selected: chosen }
}

const usualMeaning: { readonly [Type in FactType]?: FoundDate['meaning'] } = {
  medication: 'started',
  lab_result: 'collected',
  condition: 'onset',
  immunization: 'given',
  procedure: 'performed',
  imaging_result: 'performed',
}

function dateByPerson({ type, date }: StandingFact, iso: string | null): FoundDate | null {
  if (iso === null) return null
  return { iso, printed: iso, meaning: date?.meaning ?? usualMeaning[type] ?? 'visit', certainty: 'printed' }
}

function changedDetail(fact: StandingFact, changes: FactChanges): FactDetail {
  const kept: Record<string, unknown> = { ...fact.detail }
  if (changes.text !== undefined && changes.text !== fact.text) delete kept['codes']
  if (changes.unit !== undefined && changes.unit !== fact.unit) delete kept['ucum']
  if (changes.value !== undefined && changes.value !== fact.value) {
    delete kept['comparator']
    delete kept['components']
    const parts = partsOf(fact.type, changes.value)
    if (parts !== null) kept['components'] = parts
  }
  for (const [name, value] of Object.entries(changes.detail ?? {})) {
    // What is said of how often replaces its code, too.
    if (name === 'frequency') delete kept['frequencyCode']
    if (value === null) delete kept[name]
    else kept[name] = value
  }
  return readFactDetail(kept)
}

/** A blood pressure is two numbers that are said as one. */
function partsOf(type: FactType, value: string | null): FactDetail['components'] | null {
  const [, systolic, diastolic] = /^(\d{2,3})\s*\/\s*(\d{2,3})$/.exec(value ?? '') ?? []
  if (type !== 'vital_sign' || systolic === undefined || diastolic === undefined) return null
  return [
    { name: 'systolic', value: systolic },
    { name: 'diastolic', value: diastolic },
  ]
}
