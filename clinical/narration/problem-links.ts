/**
 * What belongs to a problem: what its medicines say they are for, and the results and procedures that `problem_results.tsv`
 * names. A code or a whole printed name leads to the tables' rows; where it may mean several, all of them must belong.
 */
import { once, readTable, splitList } from '../terminology/read-table.ts'
import type { RecordedEvent } from './recorded-event.ts'

/** Which of the events belong to a problem. */
export function isResultOf(event: RecordedEvent, problem: RecordedEvent): boolean {
  const ids = conditionsOf(problem)
  const found = event.eventType === 'procedure' ? proceduresOf(event) : observationsOf(event)
  if (ids.length === 0 || found.length === 0) return false
  return links().some(
    (link) =>
      ids.every((id) => link.conditions.has(id)) &&
      found.every((id) => (event.eventType === 'procedure' ? link.procedures : link.observations).has(id)),
  )
}

/** Whether what is printed as a medicine's indication names the problem, in its own words or in another name of it. */
export function isIndicatedFor(medicine: RecordedEvent, problem: RecordedEvent): boolean {
  if (medicine.indication === null) return false
  const printed = wordsOf(medicine.indication)
  const named = conditionsIn(printed)
  const ids = conditionsOf(problem)
  if (ids.length > 0 && named.length > 0) return named.some((id) => ids.includes(id))
  const name = wordsOf(problem.name)
  return name.length > 0 && printed.some((_, at) => name.every((word, place) => printed[at + place] === word))
}

/** Rows of the table of conditions that a code or a whole name may mean. */
export function conditionsOf(event: Pick<RecordedEvent, 'code' | 'codeSystem' | 'name'>): readonly string[] {
  const coded = event.code === null ? undefined : conditions().byCode.get(`${event.codeSystem} ${event.code}`)
  // Also where it is coded: one code of ICD-10 may stand for several rows, of which the name is one.
  const named = conditions().byName.get(wordsOf(event.name).join(' '))
  if (coded === undefined) return event.code === null && named !== undefined ? [named] : []
  return named !== undefined && coded.includes(named) ? [named] : coded
}

/** All that the condition is also called, as the table says it. */
export function otherNamesOf(event: RecordedEvent): readonly string[] {
  const [id, ...others] = conditionsOf(event)
  return id === undefined || others.length > 0 ? [] : (conditions().names.get(id) ?? [])
}

/** The conditions that running words name, the longest name first where one stands in another. */
function conditionsIn(printed: readonly string[]): string[] {
  const found: string[] = []
  for (let at = 0; at < printed.length;) {
    const length = longestName(printed, at)
    const id = conditions().byName.get(printed.slice(at, at + length).join(' '))
    if (id !== undefined) found.push(id)
    at += Math.max(1, length)
  }
  return found
}

const mostWords = 8

function longestName(printed: readonly string[], at: number): number {
  for (let length = Math.min(mostWords, printed.length - at); length > 0; length -= 1)
    if (conditions().byName.has(printed.slice(at, at + length).join(' '))) return length
  return 0
}

function observationsOf(event: RecordedEvent): readonly string[] {
  return event.code === null || event.codeSystem !== 'LOINC' ? [] : (observations().get(event.code) ?? [])
}

function proceduresOf(event: RecordedEvent): readonly string[] {
  return event.code === null || event.codeSystem !== 'SNOMED' ? [] : (procedures().get(event.code) ?? [])
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []

const links = once(() =>
  readTable('problem_results', ['condition_ids', 'observation_ids', 'procedure_ids']).map((row) => ({
    conditions: new Set(splitList(row.condition_ids)),
    observations: new Set(splitList(row.observation_ids)),
    procedures: new Set(splitList(row.procedure_ids)),
  })),
)

const conditions = once(() => {
  const rows = readTable('conditions', ['id', 'preferred_term', 'synonyms', 'snomed_code', 'icd10cm_code'])
  const byCode = new Map<string, string[]>()
  const byName = new Map<string, string>()
  const names = new Map<string, readonly string[]>()
  for (const row of rows) {
    add(byCode, row.snomed_code, `SNOMED ${row.snomed_code}`, row.id)
    add(byCode, row.icd10cm_code, `ICD-10-CM ${row.icd10cm_code}`, row.id)
    const all = [row.preferred_term, ...splitList(row.synonyms)]
    names.set(row.id, all)
    for (const name of all) byName.set(wordsOf(name).join(' '), row.id)
  }
  return { byCode, byName, names }
})

const observations = once(() => {
  const byLoinc = new Map<string, string[]>()
  for (const row of readTable('observation_units', ['observation_id', 'loinc_code']))
    add(byLoinc, row.loinc_code, row.loinc_code, row.observation_id)
  for (const row of readTable('observations', ['id', 'default_loinc']))
    add(byLoinc, row.default_loinc, row.default_loinc, row.id)
  return byLoinc
})

const procedures = once(() => {
  const bySnomed = new Map<string, string[]>()
  for (const row of readTable('procedures', ['id', 'snomed_code']))
    add(bySnomed, row.snomed_code, row.snomed_code, row.id)
  return bySnomed
})

function add(ids: Map<string, string[]>, code: string, key: string, id: string): void {
  if (code === '') return
  const known = ids.get(key) ?? []
  if (!known.includes(id)) ids.set(key, [...known, id])
}
