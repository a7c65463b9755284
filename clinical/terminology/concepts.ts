/** The clinical tables as lexicons; every meaning names the row that it came from, "<table>:<id>". */
import { buildLexicon, type Lexicon, type Term } from './lexicon.ts'
import { once, readTable, splitList } from './read-table.ts'

export type Concept = { readonly concept: string; readonly name: string; readonly group: string }
export type Medicine = Concept & {
  readonly isBrand: boolean
  /** The figures of the strengths that it is made in: "80", "12.5". */
  readonly strengths: readonly string[]
}
export type Observation = Concept & {
  readonly kind: 'lab' | 'vital'
  readonly acceptedUcum: readonly string[]
  /** Answered in words, not by a number. */
  readonly isWorded: boolean
  readonly specimen: string
}

export const conditionLexicon = once(() => {
  const rows = readTable('conditions', [
    'id',
    'preferred_term',
    'synonyms',
    'ambiguous_synonyms',
    'category',
    'icd10cm_code',
  ])
  // Rows that hold a context ("History of stroke") would swallow the cue that says it.
  const plain = rows.filter((row) => !/^(?:family )?history of/i.test(row.preferred_term))
  return clinicalLexicon(
    plain.flatMap((row) =>
      termsOf(row.preferred_term, row.synonyms, row.ambiguous_synonyms, {
        concept: `conditions:${row.id}`,
        name: row.preferred_term,
        group: conditionGroup(row.preferred_term, row.category, row.icd10cm_code),
      }),
    ),
  )
})

export const procedureLexicon = once(() => {
  const rows = readTable('procedures', ['id', 'procedure', 'synonyms', 'ambiguous_synonyms', 'category'])
  return clinicalLexicon(
    rows.flatMap((row) =>
      termsOf(row.procedure, row.synonyms, row.ambiguous_synonyms, {
        concept: `procedures:${row.id}`,
        name: row.procedure,
        group: row.category,
      }),
    ),
  )
})

export const observationLexicon = once((): Lexicon<Observation> => {
  const columns = [
    'id',
    'name',
    'kind',
    'group',
    'specimen',
    'synonyms',
    'ambiguous_synonyms',
    'accepted_ucum',
    'scale',
  ] as const
  return clinicalLexicon(
    readTable('observations', columns).flatMap((row) =>
      termsOf(row.name, row.synonyms, row.ambiguous_synonyms, {
        concept: `observations:${row.id}`,
        name: row.name,
        group: row.group,
        kind: row.kind === 'vital' ? 'vital' : 'lab',
        acceptedUcum: splitList(row.accepted_ucum),
        isWorded: row.scale === 'qualitative',
        specimen: row.specimen,
      }),
    ),
  )
})

export const panelLexicon = once(() => {
  const rows = readTable('panels', ['id', 'name', 'synonyms', 'ambiguous_synonyms'])
  return clinicalLexicon(
    rows.flatMap((row) =>
      termsOf(row.name, row.synonyms, row.ambiguous_synonyms, {
        concept: `panels:${row.id}`,
        name: row.name,
        group: 'panel',
      }),
    ),
  )
})

export const medicineLexicon = once((): Lexicon<Medicine> => {
  const columns = [
    'id',
    'ingredient',
    'us_name',
    'synonyms',
    'ambiguous_synonyms',
    'drug_class',
    'components',
    'common_forms_strengths',
  ] as const
  const rows = readTable('medications', columns)
  const strengthsOf = new Map(
    rows.map((row) => [row.ingredient, row.common_forms_strengths.match(/\d+(?:\.\d+)?/g) ?? []]),
  )
  const namesOf = new Map(
    rows.map((row) => [row.ingredient, [row.ingredient, row.us_name, ...splitList(row.synonyms)].filter(Boolean)]),
  )
  const idOf = new Map(rows.map((row) => [row.ingredient, row.id]))
  const generic = rows.flatMap((row) =>
    termsOf(
      row.ingredient,
      [row.us_name, row.synonyms, ...pairs(row.components, namesOf)].filter(Boolean).join('|'),
      row.ambiguous_synonyms,
      {
        concept: `medications:${row.id}`,
        name: row.ingredient,
        group: row.drug_class,
        isBrand: false,
        strengths: strengthsOf.get(row.ingredient) ?? [],
      },
    ),
  )
  const brands = readTable('brands', ['brand', 'ingredient', 'ambiguous', 'confidence']).map((row) => ({
    text: row.brand,
    isAmbiguous: row.ambiguous === 'Y' || row.confidence !== 'high',
    meaning: {
      concept: `medications:${idOf.get(row.ingredient) ?? row.ingredient}`,
      name: row.ingredient,
      group: 'brand',
      isBrand: true,
      strengths: strengthsOf.get(row.ingredient) ?? [],
    },
  }))
  return clinicalLexicon([...generic, ...brands])
})

export const allergenLexicon = once(() => {
  const rows = readTable('allergens', ['id', 'substance', 'synonyms', 'ambiguous_synonyms', 'category'])
  return clinicalLexicon(
    rows.flatMap((row) =>
      termsOf(row.substance, row.synonyms, row.ambiguous_synonyms, {
        concept: `allergens:${row.id}`,
        name: row.substance,
        group: row.category,
      }),
    ),
  )
})

export const reactionLexicon = once(() => {
  const rows = readTable('reactions', ['id', 'reaction', 'synonyms', 'ambiguous_synonyms', 'body_system'])
  return clinicalLexicon(
    rows.flatMap((row) =>
      termsOf(row.reaction, row.synonyms, row.ambiguous_synonyms, {
        concept: `reactions:${row.id}`,
        name: row.reaction,
        group: row.body_system,
      }),
    ),
  )
})

export const bodySiteLexicon = once(() => {
  const rows = readTable('body_sites', ['id', 'site', 'synonyms', 'ambiguous_synonyms'])
  return clinicalLexicon(
    rows.flatMap((row) =>
      termsOf(row.site, row.synonyms, row.ambiguous_synonyms, {
        concept: `body_sites:${row.id}`,
        name: row.site,
        group: 'site',
      }),
    ),
  )
})

export const vaccineLexicon = once((): Lexicon<Concept> => {
  const named = readTable('immunization_names', ['name', 'cvx_code', 'vaccine_type_synonyms']).flatMap((row) =>
    termsOf(row.name, row.vaccine_type_synonyms, '', {
      concept: row.cvx_code ? `immunizations:${row.cvx_code}` : `immunization_names:${row.name}`,
      name: row.name,
      group: 'vaccine',
    }),
  )
  const coded = readTable('immunizations', ['cvx_code', 'short_description', 'full_name', 'synonyms']).flatMap((row) =>
    termsOf(row.short_description, [row.full_name, row.synonyms].filter(Boolean).join('|'), '', {
      concept: `immunizations:${row.cvx_code}`,
      name: row.short_description,
      group: 'vaccine',
    }),
  )
  return clinicalLexicon([...named, ...coded])
})

/** "Lisinopril/HCTZ", "codeine+paracetamol": a combination under each name of its two parts, in either order. */
function pairs(components: string, namesOf: ReadonlyMap<string, readonly string[]>): string[] {
  const [first, second, ...further] = splitList(components)
  if (first === undefined || second === undefined || further.length > 0) return []
  const names = (part: string) => [...(namesOf.get(part) ?? [part]), ...(shortNames[part] ?? [])]
  return names(first).flatMap((a) =>
    names(second).flatMap((b) => [`${a}/${b}`, `${b}/${a}`, `${a}+${b}`, `${b}+${a}`, `${a}-${b}`]),
  )
}

const shortNames: Readonly<Record<string, readonly string[]>> = {
  'clavulanic acid': ['clavulanate', 'clavulanate potassium'],
  hydrochlorothiazide: ['HCT'],
}

/** A word of any of the tables is no misreading of a word of another. */
function clinicalLexicon<Meaning>(terms: Iterable<Term<Meaning>>): Lexicon<Meaning> {
  return buildLexicon(terms, (word) => allLexicons.some((lexicon) => lexicon().words.has(word)))
}

const allLexicons: readonly (() => Lexicon<unknown>)[] = [
  conditionLexicon,
  procedureLexicon,
  observationLexicon,
  panelLexicon,
  medicineLexicon,
  allergenLexicon,
  reactionLexicon,
  bodySiteLexicon,
  vaccineLexicon,
]

/** ICD chapter R up to R69 is symptoms and signs: they are told apart from diagnoses by their code, not by a word list. */
function conditionGroup(name: string, category: string, icd: string): string {
  if (/^R[0-6]\d/.test(icd) || /\b(pain|ache|itch|stiffness)\b/i.test(name)) return 'symptom'
  return category
}

function termsOf<Meaning>(name: string, synonyms: string, ambiguous: string, meaning: Meaning): Term<Meaning>[] {
  const clear = [name, ...splitList(synonyms)].map((text) => ({ text, meaning, isAmbiguous: false }))
  const unclear = splitList(ambiguous).map((text) => ({ text, meaning, isAmbiguous: true }))
  return [...clear, ...unclear]
}
