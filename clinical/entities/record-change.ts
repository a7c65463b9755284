/** From coded facts to rows: which become events, which join one that exists, and which stay outside with a reason. */
import type {
  FactDecision,
  KnownEvent,
  NewCode,
  NewEncounter,
  NewEvent,
  RecordChange,
} from '../../db/queries/clinical.ts'
import type { Confidence } from '../coding/confidence.ts'
import type { Coding } from '../coding/coding.ts'
import type { FoundDate } from '../document/found-fact.ts'
import type { Admission } from './admission.ts'
import { baseOf, mayMerge, storeMergeKey, weightOf } from './merge-key.ts'

export type AdmittedFact = {
  readonly id: string
  readonly date: FoundDate | null
  readonly coding: Coding
  readonly confidence: Confidence
  readonly admission: Admission
}

export type FileOfRecord = { readonly shellFileId: string; readonly patientId: string }

/** `newId` is for the rare event that cannot take the id of its fact, because another file's event has it. */
export function planRecordChange(
  file: FileOfRecord,
  facts: readonly AdmittedFact[],
  known: { readonly events: readonly KnownEvent[]; readonly newId: () => string },
): RecordChange {
  const encounters = facts.flatMap((fact) => encounterRow(file, fact))
  const merged = mergeEvents(file, facts, known)
  const events = merged.events.map((event) => withEncounter(event, encounters))
  return {
    encounters,
    events,
    decisions: facts.map((fact) => decisionOn(fact, merged)),
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

type EventFact = AdmittedFact & { readonly admission: Extract<Admission, { kind: 'event' }> }

function mergeEvents(
  file: FileOfRecord,
  facts: readonly AdmittedFact[],
  known: { readonly events: readonly KnownEvent[]; readonly newId: () => string },
) {
  const events: NewEvent[] = []
  const eventIdByFact = new Map<string, string>()
  const makers = new Set<string>()
  const takenIds = new Set(known.events.map((event) => event.id))
  // A cumulative report has thousands of results: each looks only among the events of its own kind and name.
  const byName = Map.groupBy(known.events, nameOf)
  for (const fact of richestFirst(facts)) {
    const { eventType, mergeKey } = fact.admission
    const stored = storeMergeKey(mergeKey, file.shellFileId)
    const name = nameOf({ eventType, mergeKey: stored })
    const namesakes = byName.get(name) ?? []
    const same = namesakes.find((event) => mayMerge(event.mergeKey, stored))
    const id = same?.id ?? (takenIds.has(fact.id) ? known.newId() : fact.id)
    eventIdByFact.set(fact.id, id)
    if (same !== undefined) continue
    takenIds.add(id)
    makers.add(fact.id)
    namesakes.push({ id, eventType, mergeKey: stored })
    byName.set(name, namesakes)
    events.push({ hub: hubRow(file, fact, { id, mergeKey: stored }), spoke: fact.admission.spoke })
  }
  return { events, eventIdByFact, makers }
}

const nameOf = ({ eventType, mergeKey }: Omit<KnownEvent, 'id'>) => `${eventType} ${baseOf(mergeKey)}`

function richestFirst(facts: readonly AdmittedFact[]): EventFact[] {
  return facts
    .filter((fact): fact is EventFact => fact.admission.kind === 'event')
    .toSorted((a, b) => weightOf(b.admission.mergeKey) - weightOf(a.admission.mergeKey))
}

function hubRow(
  file: FileOfRecord,
  fact: EventFact,
  key: { readonly id: string; readonly mergeKey: string },
): NewEvent['hub'] {
  return {
    ...key,
    ...file,
    eventType: fact.admission.eventType,
    assertion: fact.admission.assertion,
    eventDate: fact.date?.iso ?? null,
    eventDay: fact.date === null ? null : firstDay(fact.date.iso),
    dateMeaning: fact.date?.meaning ?? null,
    confidence: fact.confidence.confidence,
    confidenceReason: fact.confidence.reason,
  }
}

/** The first day that a date as exact as printed may mean. */
export function firstDay(iso: string): string {
  const [year = '', month = '01', day = '01'] = iso.split('-')
  return `${year}-${month}-${day}`
}

function encounterRow(file: FileOfRecord, fact: AdmittedFact): NewEncounter[] {
  if (fact.admission.kind !== 'encounter') return []
  return [{ id: fact.id, factId: fact.id, ...file, ...fact.admission.row }]
}

/**
 * What is dated belongs to the one contact that holds its date. What is not dated belongs to the only contact that the file is
 * of; contacts that it merely tells of ("seen in ED in 2021") claim nothing undated. Where several fit, nothing is guessed.
 */
function withEncounter(event: NewEvent, encounters: readonly NewEncounter[]): NewEvent {
  const date = event.hub.eventDate ?? null
  const fitting =
    date === null
      ? encounters.filter((encounter) => encounter.assertion !== 'historical' || encounters.length === 1)
      : encounters.filter((encounter) => isWithin(date, encounter) && (isDay(date) || encounters.length === 1))
  const [only, ...others] = fitting
  if (only?.id === undefined || others.length > 0) return event
  return { ...event, hub: { ...event.hub, encounterId: only.id } }
}

const isDay = (date: string) => date.length === 10

function isWithin(date: string, encounter: NewEncounter): boolean {
  const start = encounter.startDate ?? null
  if (start === null) return false
  const end = encounter.endDate ?? start
  return date >= start.slice(0, date.length) && date.slice(0, end.length) <= end
}

function decisionOn(
  fact: AdmittedFact,
  merged: { readonly eventIdByFact: ReadonlyMap<string, string>; readonly makers: ReadonlySet<string> },
): FactDecision {
  const { id, admission, confidence } = fact
  const rated = { id, confidence: confidence.confidence, confidenceReason: confidence.reason }
  if (admission.kind === 'noted')
    return { ...rated, decision: 'noted', decisionReason: admission.reason, eventId: null }
  const isNew = admission.kind === 'encounter' || merged.makers.has(id)
  return {
    ...rated,
    decision: isNew ? 'admitted' : 'merged',
    decisionReason: isNew ? null : 'The record knew this already; this place is one more source of it.',
    eventId: merged.eventIdByFact.get(id) ?? id,
  }
}
