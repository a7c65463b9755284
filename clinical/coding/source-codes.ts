/**
 * Codes that the file itself gives. They are taken over where the system is one that we know and the code is formed as
 * that system forms them; what is not stays a suggestion.
 */
import type { FactType, SourceCode } from '../document/found-fact.ts'
import type { Candidate, CodeSystem } from './coding.ts'

export function sourceCandidates(type: FactType, codes: readonly SourceCode[], text: string): Candidate[] {
  const order = preferred[type] ?? []
  const rank = (system: string) => (order.includes(system) ? order.indexOf(system) : order.length)
  const candidates = codes.map(({ system, code, display }): Candidate => {
    const known = wellFormed.find(([name]) => name === system)
    const isEquivalent = known !== undefined && known[1](code)
    return { system, code, display: display ?? text, score01: isEquivalent ? 1 : 0.5, method: 'source', isEquivalent }
  })
  return candidates.toSorted((a, b) => b.score01 - a.score01 || rank(a.system) - rank(b.system))
}

/** What other records of this kind are coded in, so that the same thing meets itself. */
const preferred: { readonly [Type in FactType]?: readonly string[] } = {
  condition: ['SNOMED', 'ICD-10-CM', 'ICD-10'],
  symptom: ['SNOMED', 'ICD-10-CM', 'ICD-10'],
  family_history: ['SNOMED', 'ICD-10-CM'],
  allergy: ['SNOMED', 'RxNorm'],
  medication: ['RxNorm', 'SNOMED', 'ATC', 'NDC'],
  immunization: ['CVX', 'SNOMED', 'ATC'],
  procedure: ['SNOMED', 'LOINC', 'CPT'],
  lab_result: ['LOINC', 'SNOMED'],
  vital_sign: ['LOINC', 'SNOMED'],
  social_history: ['LOINC', 'SNOMED'],
}

const shaped = (pattern: RegExp) => (code: string) => pattern.test(code)

const wellFormed: readonly (readonly [CodeSystem, (code: string) => boolean])[] = [
  ['LOINC', isLoinc],
  ['SNOMED', isSnomed],
  ['RxNorm', shaped(/^\d{1,8}$/)],
  ['CVX', shaped(/^\d{1,3}$/)],
  ['ICD-10-CM', shaped(/^[A-Z]\d[\dA-Z](?:\.?[\dA-Z]{1,4})?$/)],
  ['ICD-10', shaped(/^[A-Z]\d\d(?:\.?\d{1,2})?$/)],
  ['ATC', shaped(/^[A-Z]\d\d(?:[A-Z](?:[A-Z](?:\d\d)?)?)?$/)],
  ['CPT', shaped(/^\d{4}[\dFTU]$/)],
  ['NDC', shaped(/^[\d-]{10,14}$/)],
]

/** The last figure checks the others (modulo 10, as on bank cards). */
function isLoinc(code: string): boolean {
  const [, figures = '', check] = /^(\d{1,7})-(\d)$/.exec(code) ?? []
  if (check === undefined) return false
  const sum = Array.from(figures)
    .toReversed()
    .reduce((total, figure, place) => total + (place % 2 === 0 ? digitSum(2 * Number(figure)) : Number(figure)), 0)
  return (10 - (sum % 10)) % 10 === Number(check)
}

const digitSum = (number: number) => Math.floor(number / 10) + (number % 10)

const turns = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
]
/** Multiplication in the group of a pentagon's turns and mirrorings (Verhoeff). */
const product = (a: number, b: number) =>
  a < 5 ? (b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5)) : b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5

function isSnomed(code: string): boolean {
  if (!/^[1-9]\d{5,17}$/.test(code)) return false
  const check = Array.from(code)
    .toReversed()
    .reduce((sum, figure, place) => product(sum, Number(turns[place % 8]?.[Number(figure)] ?? 0)), 0)
  return check === 0
}
