/** Lexical search for words that no rule tied to a row: exact after folding first, then shared tokens. */
import type { FactType } from '../document/found-fact.ts'
import { once, readTable, splitList } from '../terminology/read-table.ts'
import { tokenise } from '../terminology/tokens.ts'

export type FoundConcept = { readonly concept: string; readonly score01: number }

type Entry = { readonly concept: string; readonly tokens: ReadonlySet<string>; readonly isAmbiguous: boolean }
type Index = { readonly byToken: ReadonlyMap<string, readonly Entry[]> }

const leastScore01 = 0.6
const mostConcepts = 5

export function searchConcepts(type: FactType, words: string): FoundConcept[] {
  const index = indexes[type]?.() ?? null
  const wanted = new Set(foldedWords(words))
  if (index === null || wanted.size === 0) return []
  const terms = new Set([...wanted].flatMap((token) => index.byToken.get(token) ?? []))
  const best = new Map<string, number>()
  for (const term of terms) {
    const score01 = likeness01(wanted, term)
    if (score01 >= leastScore01 && score01 > (best.get(term.concept) ?? 0)) best.set(term.concept, score01)
  }
  return [...best]
    .map(([concept, score01]) => ({ concept, score01 }))
    .toSorted((a, b) => b.score01 - a.score01 || a.concept.localeCompare(b.concept))
    .slice(0, mostConcepts)
}

/** Share of common tokens (Dice); a term with another common meaning never counts as certain. */
function likeness01(wanted: ReadonlySet<string>, term: Entry): number {
  const shared = [...wanted].filter((token) => term.tokens.has(token)).length
  const dice01 = (2 * shared) / (wanted.size + term.tokens.size)
  return term.isAmbiguous ? dice01 * 0.8 : dice01
}

const conditionIndex = once(() => namedIndex('conditions', 'preferred_term'))
const procedureIndex = once(() => namedIndex('procedures', 'procedure'))
const allergenIndex = once(() => namedIndex('allergens', 'substance'))
const observationIndex = once(() => namedIndex('observations', 'name'))
const medicineIndex = once(() => {
  const rows = readTable('medications', ['id', 'ingredient', 'us_name', 'synonyms', 'brands_au', 'brands_us'])
  return build(
    rows.flatMap((row) =>
      [row.ingredient, row.us_name, ...[row.synonyms, row.brands_au, row.brands_us].flatMap(splitList)].map((name) =>
        clearTerm(`medications:${row.id}`, name),
      ),
    ),
  )
})
const vaccineIndex = once(() => {
  const named = readTable('immunization_names', ['name', 'cvx_code']).filter((row) => row.cvx_code !== '')
  const coded = readTable('immunizations', ['cvx_code', 'short_description', 'full_name', 'synonyms'])
  return build([
    ...named.map((row) => clearTerm(`immunizations:${row.cvx_code}`, row.name)),
    ...coded.flatMap((row) =>
      [row.short_description, row.full_name, ...splitList(row.synonyms)].map((name) =>
        clearTerm(`immunizations:${row.cvx_code}`, name.replace(wordsOfNoKind, ' ')),
      ),
    ),
  ])
})

const indexes: { readonly [Type in FactType]?: () => Index } = {
  condition: conditionIndex,
  symptom: conditionIndex,
  family_history: conditionIndex,
  social_history: conditionIndex,
  procedure: procedureIndex,
  medication: medicineIndex,
  allergy: allergenIndex,
  immunization: vaccineIndex,
  lab_result: observationIndex,
  vital_sign: observationIndex,
  physical_finding: observationIndex,
}

/** Every vaccine is one; a record that says no more than "influenza" means the unspecified one. */
const wordsOfNoKind = /\b(vaccine|virus|unspecified formulation|unspecified|nos|dosage|or)\b/gi

function namedIndex(table: string, nameColumn: string): Index {
  const rows = readTable(table, ['id', nameColumn, 'synonyms', 'ambiguous_synonyms'])
  return build(
    rows.flatMap((row) => [
      ...[row[nameColumn] ?? '', ...splitList(row['synonyms'] ?? '')].map((name) =>
        clearTerm(`${table}:${row['id'] ?? ''}`, name),
      ),
      ...splitList(row['ambiguous_synonyms'] ?? '').map((name) => ({
        ...clearTerm(`${table}:${row['id'] ?? ''}`, name),
        isAmbiguous: true,
      })),
    ]),
  )
}

function clearTerm(concept: string, name: string): Entry {
  return { concept, tokens: new Set(foldedWords(name)), isAmbiguous: false }
}

function build(entries: readonly Entry[]): Index {
  const byToken = new Map<string, Entry[]>()
  for (const each of entries) {
    for (const token of each.tokens) {
      const known = byToken.get(token)
      if (known === undefined) byToken.set(token, [each])
      else known.push(each)
    }
  }
  return { byToken }
}

function foldedWords(text: string): string[] {
  return tokenise(text)
    .filter((token) => /[\p{L}\p{N}]/u.test(token.text))
    .map((token) => token.key)
}
