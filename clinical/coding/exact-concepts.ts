/** Rows of the tables that have exactly these words, in any order, for words that no rule tied to a row. */
import type { FactType } from '../document/found-fact.ts'
import { once, readTable, splitList } from '../terminology/read-table.ts'
import { searchWords } from '../terminology/search-words.ts'

type Entry = { readonly concept: string; readonly words: string; readonly isAmbiguous: boolean }
type Dictionary = ReadonlyMap<string, readonly Entry[]>

const mostConcepts = 5

/** Each row once; a word with another common meaning is no certain one. */
export function exactConcepts(type: FactType, text: string): readonly Omit<Entry, 'words'>[] {
  const entries = dictionaries[type]?.().get(searchWords(text)) ?? []
  const byConcept = new Map<string, Entry>()
  for (const entry of entries) {
    if (byConcept.get(entry.concept)?.isAmbiguous !== false) byConcept.set(entry.concept, entry)
  }
  return [...byConcept.values()].toSorted(surestFirst).slice(0, mostConcepts)
}

const surestFirst = (a: Entry, b: Entry) =>
  Number(a.isAmbiguous) - Number(b.isAmbiguous) || (a.concept < b.concept ? -1 : 1)

const conditions = once(() => named('conditions', 'preferred_term'))
const procedures = once(() => named('procedures', 'procedure'))
const allergens = once(() => named('allergens', 'substance'))
const observations = once(() => named('observations', 'name'))
const medicines = once(() => {
  const rows = readTable('medications', ['id', 'ingredient', 'us_name', 'synonyms', 'brands_au', 'brands_us'])
  return dictionary(
    rows.flatMap((row) => {
      const names = [row.ingredient, row.us_name, ...[row.synonyms, row.brands_au, row.brands_us].flatMap(splitList)]
      return clear(`medications:${row.id}`, names)
    }),
  )
})
const vaccines = once(() => {
  const names = readTable('immunization_names', ['name', 'cvx_code']).filter((row) => row.cvx_code !== '')
  const coded = readTable('immunizations', ['cvx_code', 'short_description', 'full_name', 'synonyms'])
  return dictionary([
    ...names.flatMap((row) => clear(`immunizations:${row.cvx_code}`, [row.name])),
    ...coded.flatMap((row) => {
      const wordings = [row.short_description, row.full_name, ...splitList(row.synonyms)]
      return clear(
        `immunizations:${row.cvx_code}`,
        wordings.map((wording) => wording.replace(wordsOfNoKind, ' ')),
      )
    }),
  ])
})

const dictionaries: { readonly [Type in FactType]?: () => Dictionary } = {
  condition: conditions,
  symptom: conditions,
  family_history: conditions,
  social_history: conditions,
  procedure: procedures,
  medication: medicines,
  allergy: allergens,
  immunization: vaccines,
  lab_result: observations,
  vital_sign: observations,
  physical_finding: observations,
}

/** Every vaccine is one; a record that says no more than "influenza" means the unspecified one. */
const wordsOfNoKind = /\b(vaccine|virus|unspecified formulation|unspecified|nos|dosage|or)\b/gi

function named(table: string, nameColumn: string): Dictionary {
  const rows = readTable(table, ['id', nameColumn, 'synonyms', 'ambiguous_synonyms'])
  return dictionary(
    rows.flatMap((row) => {
      const concept = `${table}:${row['id'] ?? ''}`
      const others = splitList(row['ambiguous_synonyms'] ?? '')
      return [
        ...clear(concept, [row[nameColumn] ?? '', ...splitList(row['synonyms'] ?? '')]),
        ...others.map((name) => ({ concept, words: searchWords(name), isAmbiguous: true })),
      ]
    }),
  )
}

const clear = (concept: string, names: readonly string[]) =>
  names.map((name): Entry => ({ concept, words: searchWords(name), isAmbiguous: false }))

function dictionary(entries: readonly Entry[]): Dictionary {
  return Map.groupBy(
    entries.filter(({ words }) => words !== ''),
    ({ words }) => words,
  )
}
