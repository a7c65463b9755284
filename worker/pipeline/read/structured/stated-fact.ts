import type { FactDetail, FactType, FoundDate, SourceCode } from '../../../../clinical/document/found-fact.ts'
import type { StatedFact } from '../../../../clinical/document/structured-entry.ts'

export function statedFact(type: FactType, text: string, rest: Partial<Omit<StatedFact, 'type' | 'text'>>): StatedFact {
  return {
    type,
    text: text.replaceAll(/\s+/g, ' ').trim(),
    status: 'present',
    value: null,
    unit: null,
    referenceRange: null,
    date: null,
    detail: {},
    ...rest,
  }
}

/** Who the file is about: name, date_of_birth, sex, medicare_number, ihi, mrn. */
export function identityFact(kind: string, text: string, subject: string | null): StatedFact {
  const date = kind === 'date_of_birth' ? statedDate(text, 'birth') : null
  return statedFact('identity', text, { value: text, date, detail: detailOf({ identityKind: kind, subject }) })
}

/** Without the parts that are empty: they are not said. */
export function detailOf(parts: { readonly [Key in keyof FactDetail]?: FactDetail[Key] | null }): FactDetail {
  return Object.fromEntries(
    Object.entries(parts).filter(([, value]) => {
      if (value === null || value === undefined || value === '') return false
      return !Array.isArray(value) || value.length > 0
    }),
  )
}

/** A date or time of FHIR ("2021-02-03T10:15:00+11:00") or of HL7 ("20210203101500+1100"); null where it says none. */
export function statedDate(text: string | null, meaning: FoundDate['meaning']): FoundDate | null {
  const iso = isoDate(text ?? '')
  return iso === null ? null : { iso, printed: iso, meaning, certainty: 'printed' }
}

export function isoDate(text: string): string | null {
  const match =
    /^\s*(\d{4})(?:-(\d\d)(?:-(\d\d))?)?(?:T.*)?\s*$/.exec(text) ??
    /^\s*(\d{4})(?:(\d\d)(?:(\d\d)(?:\d{2,6})?(?:\.\d+)?(?:[+-]\d{4})?)?)?\s*$/.exec(text)
  const [, year, month, day] = match ?? []
  if (year === undefined || Number(year) < 1880 || Number(year) > 2200) return null
  if (month === undefined || month === '00') return year
  if (Number(month) > 12) return null
  if (day === undefined || day === '00') return `${year}-${month}`
  const last = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate()
  return Number(day) > last ? null : `${year}-${month}-${day}`
}

/** What systems are called in FHIR (addresses), CDA (object identifiers) and HL7 v2 (short names). */
const systems: Readonly<Record<string, string>> = {
  'http://loinc.org': 'LOINC',
  '2.16.840.1.113883.6.1': 'LOINC',
  LN: 'LOINC',
  LOINC: 'LOINC',
  'http://snomed.info/sct': 'SNOMED',
  '2.16.840.1.113883.6.96': 'SNOMED',
  SCT: 'SNOMED',
  SNM3: 'SNOMED',
  'SNOMED-CT': 'SNOMED',
  SNOMED: 'SNOMED',
  'http://www.nlm.nih.gov/research/umls/rxnorm': 'RxNorm',
  '2.16.840.1.113883.6.88': 'RxNorm',
  RXNORM: 'RxNorm',
  'http://hl7.org/fhir/sid/cvx': 'CVX',
  '2.16.840.1.113883.12.292': 'CVX',
  '2.16.840.1.113883.6.59': 'CVX',
  CVX: 'CVX',
  'http://hl7.org/fhir/sid/icd-10-cm': 'ICD-10-CM',
  '2.16.840.1.113883.6.90': 'ICD-10-CM',
  I10C: 'ICD-10-CM',
  'http://hl7.org/fhir/sid/icd-10': 'ICD-10',
  '2.16.840.1.113883.6.3': 'ICD-10',
  I10: 'ICD-10',
  '2.16.840.1.113883.6.103': 'ICD-9-CM',
  I9C: 'ICD-9-CM',
  'http://hl7.org/fhir/sid/ndc': 'NDC',
  '2.16.840.1.113883.6.69': 'NDC',
  NDC: 'NDC',
  'http://www.whocc.no/atc': 'ATC',
  '2.16.840.1.113883.6.73': 'ATC',
  'http://www.ama-assn.org/go/cpt': 'CPT',
  '2.16.840.1.113883.6.12': 'CPT',
  'http://pbs.gov.au/code/item': 'PBS',
  'https://www.humanservices.gov.au/organisations/health-professionals/enablers/air-vaccine-code-formats': 'AIR',
  'http://unitsofmeasure.org': 'UCUM',
}

export function sourceCode(system: string, code: string, display: string | null): SourceCode {
  const plain = system.replace(/^urn:oid:/, '')
  const isAmt = plain.startsWith('http://snomed.info/sct')
  return {
    system: systems[plain] ?? (isAmt ? 'SNOMED' : (systems[plain.toUpperCase()] ?? (plain === '' ? 'local' : plain))),
    code,
    display: display === null || display.trim() === '' ? null : display.trim(),
  }
}

/** LOINC codes of what is measured at the bedside, where a file does not say so itself. */
const vitalCodes = new Set(
  '8480-6 8462-4 85354-9 55284-4 8478-0 8867-4 9279-1 8310-5 8331-1 8302-2 8306-3 29463-7 3141-9 39156-5 59408-5 2708-6 8287-5 8289-1 9843-4 59576-9 77606-2 59575-1'.split(
    ' ',
  ),
)

export const isVitalCode = (codes: readonly SourceCode[]) =>
  codes.some(({ system, code }) => system === 'LOINC' && vitalCodes.has(code))

/** "No known allergies" and its kin say that there are none; "no information" says nothing. */
export function absenceOf(codes: readonly SourceCode[], text: string): 'none' | 'unknown' | null {
  if (codes.some(({ code }) => /^no-\w+-info$/.test(code))) return 'unknown'
  if (codes.some(({ code }) => code.startsWith('no-known-') || absentCodes.has(code))) return 'none'
  if (unsaid.test(text)) return 'unknown'
  return /^\s*(?:no|nil|none|nkd?a|nka|denies|negative for)\b/i.test(text) ? 'none' : null
}

/** Forms fill a field in where nothing was asked or written down. */
const unsaid =
  /^\s*(?:no (?:information|data|documentation)|unknown|n\/a)\b|\bnot (?:documented|recorded|available|asked|known|applicable|specified|on file)\b/i

const absentCodes = new Set([
  '716186003',
  '409137002',
  '428607008',
  '429625007',
  '160244002',
  '160245001',
  '787481004',
  '1287211007',
  '182849000',
  '787480003',
  '443508001',
])
