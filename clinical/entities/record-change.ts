/** From coded facts to what they are in the record: entries, or a reason why they stay outside. */
import type { CodedFactRow, NewCode, RecordChange, RecordEntry } from '../../db/queries/clinical.ts'
import type { Confidence } from '../coding/confidence.ts'
import type { Coding } from '../coding/coding.ts'
import type { FoundDate } from '../document/found-fact.ts'
import type { Admission } from './admission.ts'
import { storeMergeKey } from './merge-key.ts'

export type AdmittedFact = {
  readonly id: string
  readonly date: FoundDate | null
  readonly coding: Coding
  readonly confidence: Confidence
  readonly admission: Admission
}

export type FileOfRecord = { readonly shellFileId: string; readonly patientId: string }

/** Which of the entries are one event, of this file or with others, the database decides (`53-settling.sql`). */
export function planRecordChange(file: FileOfRecord, facts: readonly AdmittedFact[]): RecordChange {
  const contacts = facts.flatMap(contactOf)
  return {
    facts: facts.map((fact) => codedRow(file, fact, contacts)),
    codes: facts.flatMap((fact) => codeRows(file.patientId, fact.id, fact.coding)),
  }
}

export function codeRows(patientId: string, factId: string, coding: Coding): NewCode[] {
  return coding.candidates.map((candidate, rank) => ({
    factId,
    rank,
    patientId,
    codeSystem: candidate.system,
    code: candidate.code,
    display: candidate.display,
    score01: Math.min(1, Math.max(0, candidate.score01)),
    method: candidate.method,
    isSelected: candidate === coding.selected,
  }))
}

function codedRow(file: FileOfRecord, fact: AdmittedFact, contacts: readonly Contact[]): CodedFactRow {
  const { id, admission, confidence, date } = fact
  return {
    id,
    entry: entryOf(admission, { date, shellFileId: file.shellFileId, encounterId: contactHolding(date, contacts) }),
    decisionReason: admission.kind === 'noted' ? admission.reason : null,
    confidence: confidence.confidence,
    confidenceReason: confidence.reason,
  }
}

type Standing = {
  readonly date: FoundDate | null
  readonly shellFileId: string
  readonly encounterId: string | null
}

/** What a fact of this date and file is in the record. */
export function entryOf(admission: Admission, { date, shellFileId, encounterId }: Standing): RecordEntry | null {
  if (admission.kind === 'noted') return null
  if (admission.kind === 'encounter') return { kind: 'encounter', row: admission.row }
  return {
    kind: 'event',
    hub: {
      eventType: admission.eventType,
      assertion: admission.assertion,
      eventDate: date?.iso ?? null,
      eventDay: date === null ? null : firstDay(date.iso),
      dateMeaning: date?.meaning ?? null,
      mergeKey: storeMergeKey(admission.mergeKey, shellFileId),
      encounterId,
    },
    spoke: admission.spoke,
  }
}

/** The first day that a date as exact as printed may mean. */
function firstDay(iso: string): string {
  const [year = '', month = '01', day = '01'] = iso.split('-')
  return `${year}-${month}-${day}`
}

type Contact = Extract<Admission, { kind: 'encounter' }>['row'] & { readonly id: string }

function contactOf({ id, admission }: AdmittedFact): Contact[] {
  return admission.kind === 'encounter' ? [{ id, ...admission.row }] : []
}

/**
 * What is dated belongs to the one contact that holds its date. What is not dated belongs to the only contact that the file is
 * of; contacts that it merely tells of ("seen in ED in 2021") claim nothing undated. Where several fit, nothing is guessed.
 */
function contactHolding(date: FoundDate | null, contacts: readonly Contact[]): string | null {
  const fitting =
    date === null
      ? contacts.filter((contact) => contact.assertion !== 'historical' || contacts.length === 1)
      : contacts.filter((contact) => isWithin(date.iso, contact) && (isDay(date.iso) || contacts.length === 1))
  const [only, ...others] = fitting
  return only === undefined || others.length > 0 ? null : only.id
}

const isDay = (date: string) => date.length === 10

function isWithin(date: string, contact: Contact): boolean {
  const start = contact.startDate ?? null
  if (start === null) return false
  const end = contact.endDate ?? start
  return date >= start.slice(0, date.length) && date.slice(0, end.length) <= end
}
