/**
 * The repository's tables as code systems, in the form in which the database keeps them for its search: concepts, and
 * every wording that the tables know of each. Terms of use are those of `tables/NOTICE.md`.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { CodeSystemContent, ConceptContent, PackagedTerminology, Wording } from '../../db/terminology.ts'
import type { ConceptDomain } from '../../db/schema/terminology.ts'
import { readTable, splitList } from './read-table.ts'
import { searchWords } from './search-words.ts'

type Term = Omit<Wording, 'words'>
/** What one line of a table says of a code; no display: it only has further wordings. */
type Row = { readonly code: string; readonly display: string | null; readonly terms: readonly Term[] }

/** Read anew only where it is not what the database has: building it takes half a second. */
export const packagedTerminology: PackagedTerminology = {
  checksum: checksumOfSources,
  read: () => [snomed(), icd10(), loinc(), rxnorm(), cvx()],
}

const tables =
  'snomed_gps icd10 icd10_terms loinc_reference conditions procedures allergens observations observation_units ' +
  'medications brands immunizations immunization_names'
const sources = tables.split(' ').map((name) => `./tables/${name}.tsv`)
/** How words are folded belongs to what is stored: another folding would not find them again. */
const foldingCode = ['./code-systems.ts', './search-words.ts', './tokens.ts']

function checksumOfSources(): string {
  const hash = createHash('sha256')
  for (const path of [...sources, ...foldingCode]) hash.update(readFileSync(new URL(path, import.meta.url)))
  return hash.digest('hex')
}

function snomed(): CodeSystemContent {
  const concepts = readTable('snomed_gps', ['code', 'term', 'semantic_tag']).flatMap(
    ({ code, term, semantic_tag: tag }): Row[] => {
      const domain = domainOfTag.get(tag)
      if (domain === undefined) return []
      const substance = /^allergy to (.+)$|^(.+) allergy$/i.exec(term)
      const name = substance?.[1] ?? substance?.[2]
      const terms = [same(domain, term), ...(name === undefined ? [] : [same('allergy', name)])]
      return [{ code, display: `${term} (${tag})`, terms }]
    },
  )
  return {
    codeSystem: 'SNOMED',
    title: 'SNOMED CT Global Patient Set',
    version: '20200930',
    licence: 'CC BY 4.0',
    attribution: '(c) SNOMED International. Selection of the concepts; local synonyms are not part of it.',
    concepts: conceptsOf([
      ...concepts,
      ...namedRows('conditions', 'preferred_term', 'condition'),
      ...namedRows('procedures', 'procedure', 'procedure'),
      ...allergies(),
    ]),
  }
}

const domainOfTag: ReadonlyMap<string, ConceptDomain> = new Map([
  ['disorder', 'condition'],
  ['finding', 'condition'],
  ['procedure', 'procedure'],
  ['regime/therapy', 'procedure'],
])

/** Our own wordings of a concept; where it is only akin to the row, they say something else than the code. */
function namedRows(table: 'conditions' | 'procedures', nameColumn: string, domain: ConceptDomain): Row[] {
  const columns = ['snomed_code', 'snomed_fsn', 'snomed_match', nameColumn, 'synonyms', 'ambiguous_synonyms']
  return readTable(table, columns).flatMap((row): Row[] => {
    const { snomed_code: code = '', snomed_fsn: display = '', snomed_match: match } = row
    if (match !== 'exact' && match !== 'equivalent') return []
    const clear = [row[nameColumn] ?? '', ...splitList(row['synonyms'] ?? '')]
    const others = splitList(row['ambiguous_synonyms'] ?? '')
    return [{ code, display, terms: [...sames(domain, clear), ...unclears(domain, others)] }]
  })
}

/** A list of allergies names substances; the code is that of being allergic to them. */
function allergies(): Row[] {
  const columns = [
    'substance',
    'synonyms',
    'ambiguous_synonyms',
    'allergy_finding_code',
    'allergy_finding_fsn',
  ] as const
  return readTable('allergens', columns).map((row) => ({
    code: row.allergy_finding_code,
    display: row.allergy_finding_fsn,
    terms: [
      ...sames('allergy', [row.substance, ...splitList(row.synonyms)]),
      ...unclears('allergy', splitList(row.ambiguous_synonyms)),
    ],
  }))
}

/** What a code includes may be narrower than the code. */
function icd10(): CodeSystemContent {
  const titles = readTable('icd10', ['code', 'title']).map(({ code, title }): Row => ({
    code,
    display: title,
    terms: [same('condition', title)],
  }))
  const included = readTable('icd10_terms', ['term', 'icd10cm_code']).map(({ term, icd10cm_code: code }): Row => ({
    code,
    display: null,
    terms: unclears('condition', [term]),
  }))
  return {
    codeSystem: 'ICD-10-CM',
    title: 'ICD-10-CM',
    version: 'FY2021, with codes of FY2022 to FY2025',
    licence: 'public domain (CDC/NCHS and CMS)',
    attribution: 'ICD-10 is (c) World Health Organization. Not ICD-10-AM.',
    // Causes from outside and reasons for a contact are nobody's condition.
    concepts: conceptsOf([...titles, ...included].filter(({ code }) => !/^[V-Z]/.test(code))),
  }
}

function loinc(): CodeSystemContent {
  const names = readTable('loinc_reference', ['loinc_code', 'long_common_name', 'short_name']).map((row): Row => ({
    code: row.loinc_code,
    display: row.long_common_name,
    terms: sames('observation', [row.long_common_name, row.short_name]),
  }))
  const tests = new Map(
    readTable('observations', ['id', 'name', 'synonyms', 'ambiguous_synonyms']).map((row) => [row.id, row]),
  )
  // Of a test with several units each has a code, and the name alone does not say which.
  const units = readTable('observation_units', ['observation_id', 'loinc_code', 'loinc_long_common_name'])
  const named = units.flatMap((unit): Row[] => {
    const test = tests.get(unit.observation_id)
    if (test === undefined) return []
    const words = [test.name, ...splitList(test.synonyms), ...splitList(test.ambiguous_synonyms)]
    return [
      { code: unit.loinc_code, display: unit.loinc_long_common_name || null, terms: unclears('observation', words) },
    ]
  })
  return {
    codeSystem: 'LOINC',
    title: 'LOINC (a selection of common tests)',
    version: '2.7x',
    licence: 'LOINC licence (http://loinc.org/license)',
    attribution:
      'This material contains content from LOINC (http://loinc.org). LOINC is copyright (c) Regenstrief Institute, Inc. and the LOINC Committee.',
    concepts: conceptsOf([...names, ...named]),
  }
}

function rxnorm(): CodeSystemContent {
  const columns = [
    'ingredient',
    'us_name',
    'synonyms',
    'ambiguous_synonyms',
    'rxcui',
    'brands_au',
    'brands_us',
  ] as const
  const medicines = readTable('medications', columns).map((row): Row => {
    const names = [row.us_name, row.ingredient, ...[row.synonyms, row.brands_au, row.brands_us].flatMap(splitList)]
    const terms = [...sames('medication', names), ...unclears('medication', splitList(row.ambiguous_synonyms))]
    return { code: row.rxcui, display: row.us_name || row.ingredient, terms }
  })
  const brands = readTable('brands', ['brand', 'rxcui', 'ingredient', 'ambiguous', 'confidence']).map((row): Row => {
    const isClear = row.ambiguous !== 'Y' && row.confidence === 'high'
    const terms = (isClear ? sames : unclears)('medication', [row.brand])
    return { code: row.rxcui, display: row.ingredient, terms }
  })
  return {
    codeSystem: 'RxNorm',
    title: 'RxNorm (ingredients)',
    version: '2014, with newer ingredients',
    licence: 'public domain (NLM)',
    attribution:
      'Publicly available data courtesy of the U.S. National Library of Medicine; NLM does not endorse this product.',
    // Of a combination without a code of its own the tables name the codes of its parts.
    concepts: conceptsOf([...medicines, ...brands].filter((row) => !row.code.includes('|'))),
  }
}

function cvx(): CodeSystemContent {
  const columns = ['cvx_code', 'short_description', 'full_name', 'synonyms'] as const
  const vaccines = readTable('immunizations', columns).map((row): Row => ({
    code: row.cvx_code,
    display: row.short_description,
    terms: sames('immunization', [row.short_description, row.full_name, ...splitList(row.synonyms)]),
  }))
  const names = readTable('immunization_names', ['name', 'cvx_code']).map((row): Row => ({
    code: row.cvx_code,
    display: row.name,
    terms: sames('immunization', [row.name]),
  }))
  return {
    codeSystem: 'CVX',
    title: 'CVX vaccine codes',
    version: '2025-09-09',
    licence: 'public domain (CDC)',
    attribution: 'Source: CDC, Immunization Information Systems code sets. Use does not imply endorsement.',
    concepts: conceptsOf([...vaccines, ...names].filter((row) => !row.code.includes('|'))),
  }
}

const same = (domain: ConceptDomain, term: string): Term => ({ domain, term, isEquivalent: true })
const sames = (domain: ConceptDomain, terms: readonly string[]) => terms.map((term) => same(domain, term))
const unclears = (domain: ConceptDomain, terms: readonly string[]) =>
  terms.map((term): Term => ({ domain, term, isEquivalent: false }))

/** Rows of one code are one concept, which the first of them names. A wording counts once, as it is surest. */
function conceptsOf(rows: readonly Row[]): ConceptContent[] {
  const byCode = Map.groupBy(
    rows.filter(({ code }) => code !== ''),
    ({ code }) => code,
  )
  return [...byCode].flatMap(([code, ofCode]) => {
    const display = ofCode.find((row) => row.display !== null)?.display ?? null
    const synonyms = wordingsOf(ofCode.flatMap(({ terms }) => terms))
    return display === null ? [] : [{ code, display, synonyms }]
  })
}

function wordingsOf(terms: readonly Term[]): Wording[] {
  const byWords = new Map<string, Wording>()
  for (const term of terms) {
    const words = searchWords(term.term)
    const key = `${term.domain} ${words}`
    const known = byWords.get(key)
    if (words === '' || known?.isEquivalent === true) continue
    if (known === undefined || term.isEquivalent) byWords.set(key, { ...term, words })
  }
  return [...byWords.values()]
}
