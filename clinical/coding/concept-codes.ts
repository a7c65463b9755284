import type { FactType } from '../document/found-fact.ts'
import { once, readTable } from '../terminology/read-table.ts'
import type { Candidate } from './coding.ts'

/** What a row of a terminology table offers, best first. An unknown row offers nothing. */
export function conceptCandidates(table: string, id: string, type: FactType): Candidate[] {
  switch (table) {
    case 'conditions':
      return conditionCandidates(id)
    case 'procedures':
      return snomedCandidates(procedures().get(id))
    case 'medications':
      return type === 'allergy' ? [] : medicineCandidates(id)
    case 'allergens':
      return allergenCandidates(id)
    case 'immunizations':
      return vaccineCandidates(id)
    case 'panels':
      return panelCandidates(id)
    default:
      return []
  }
}

const codeOf = (system: Candidate['system'], code: string, display: string, score01: number, isEquivalent = true) =>
  code === '' ? [] : [{ system, code, display, score01, method: 'concept' as const, isEquivalent }]

type SnomedRow = { readonly snomed_code: string; readonly snomed_fsn: string; readonly snomed_match: string }

const sameMeaning = new Set(['exact', 'equivalent'])

function snomedCandidates(row: SnomedRow | undefined): Candidate[] {
  if (row === undefined) return []
  const isSame = sameMeaning.has(row.snomed_match)
  return codeOf('SNOMED', row.snomed_code, row.snomed_fsn, isSame ? 1 : 0.6, isSame)
}

function conditionCandidates(id: string): Candidate[] {
  const row = conditions().get(id)
  if (row === undefined) return []
  return [...snomedCandidates(row), ...codeOf('ICD-10-CM', row.icd10cm_code, row.icd10cm_title, 0.9)]
}

/** Some brands name combinations that have no row of their own; their concept is the list of ingredients. */
function medicineCandidates(id: string): Candidate[] {
  const row = medicines().get(id) ?? medicines().get(`=${id}`)
  if (row !== undefined) return codeOf('RxNorm', row.rxcui, row.us_name || row.ingredient, 1)
  const brand = brandsByIngredient().get(id)
  return brand === undefined ? [] : codeOf('RxNorm', brand.rxcui, brand.ingredient, 0.9, !brand.rxcui.includes('|'))
}

/** What an allergy list names is the allergy, so its finding comes before the substance. */
function allergenCandidates(id: string): Candidate[] {
  const row = allergens().get(id)
  if (row === undefined) return []
  return [
    ...codeOf('SNOMED', row.allergy_finding_code, row.allergy_finding_fsn, 1),
    ...snomedCandidates(row).map((candidate) => ({ ...candidate, score01: candidate.score01 * 0.95 })),
    ...codeOf('RxNorm', row.rxcui, row.substance, 0.9),
  ]
}

function vaccineCandidates(cvx: string): Candidate[] {
  const codes = cvx.split('|')
  return codes.flatMap((code) => codeOf('CVX', code, vaccines().get(code) ?? code, 1, codes.length === 1))
}

function panelCandidates(id: string): Candidate[] {
  const row = panels().get(id)
  return row === undefined ? [] : codeOf('LOINC', row.loinc_code, row.loinc_name, 1)
}

const snomedColumns = ['id', 'snomed_code', 'snomed_fsn', 'snomed_match'] as const

const conditions = once(() => byId(readTable('conditions', [...snomedColumns, 'icd10cm_code', 'icd10cm_title'])))
const procedures = once(() => byId(readTable('procedures', snomedColumns)))
const allergens = once(() =>
  byId(readTable('allergens', [...snomedColumns, 'substance', 'allergy_finding_code', 'allergy_finding_fsn', 'rxcui'])),
)
const panels = once(() => byId(readTable('panels', ['id', 'loinc_code', 'loinc_name'])))
const vaccines = once(
  () =>
    new Map(
      readTable('immunizations', ['cvx_code', 'short_description']).map((row) => [row.cvx_code, row.short_description]),
    ),
)
const medicines = once(() => {
  const rows = readTable('medications', ['id', 'ingredient', 'us_name', 'rxcui'])
  return new Map(rows.flatMap((row) => [[row.id, row] as const, [`=${row.ingredient}`, row] as const]))
})
const brandsByIngredient = once(
  () => new Map(readTable('brands', ['ingredient', 'rxcui']).map((row) => [row.ingredient, row])),
)

function byId<Row extends { readonly id: string }>(rows: readonly Row[]): ReadonlyMap<string, Row> {
  return new Map(rows.map((row) => [row.id, row]))
}
