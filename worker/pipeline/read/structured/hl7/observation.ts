/** A result of HL7 v2 (OBX) as a fact. */
import type { FactDetail, SourceCode } from '../../../../../clinical/document/found-fact.ts'
import type { DataRow } from '../data-sheet.ts'
import { detailOf, isoDate, isVitalCode, sourceCode, statedDate, statedFact } from '../stated-fact.ts'
import { part, partOf, unescaped, wordsOfField, type Segment } from './message.ts'

/** Taken back, wrong, or not there yet. */
const notCounted = new Set(['D', 'W', 'X', 'I', 'N', 'O'])
const statusWords: Readonly<Record<string, string>> = {
  C: 'corrected',
  D: 'deleted',
  I: 'pending',
  N: 'not asked for',
  O: 'order only',
  P: 'preliminary',
  R: 'not verified',
  S: 'partial',
  W: 'wrong, withdrawn',
  X: 'cannot be obtained',
}

/** Both codes of a coded element, its name first by the text, else by the other text, else by the code. */
export function codedElement(segment: Segment, repeat: string): { name: string; codes: SourceCode[] } {
  const at = (component: number) => partOf(segment, repeat, component)
  const codes = (
    [
      [1, 2, 3],
      [4, 5, 6],
    ] as const
  ).flatMap(([code, display, system]) =>
    at(code) === '' || at(system) === '' ? [] : [sourceCode(at(system), at(code), at(display))],
  )
  return { name: at(2) || at(5) || at(9) || at(1), codes }
}

export function isText(segment: Segment): boolean {
  const type = part(segment, 2)
  if (type === 'FT' || type === 'TX') return !isShortResult(segment)
  return type === 'ST' && (segment.field(5).length > 80 || segment.field(5).includes('.br'))
}

/** Laboratories send "NEGATIVE" as text too; with a unit, a range or a flag it is a result. */
function isShortResult(segment: Segment): boolean {
  const value = segment.field(5)
  const isBrief = value.length <= 40 && !value.includes('.br') && segment.repeats(5).length === 1
  return isBrief && [6, 7, 8].some((place) => segment.field(place) !== '')
}

export function readObx(
  segment: Segment,
  context: { readonly date: string; readonly panel: string; readonly specimen: string },
): DataRow {
  const { name, codes } = codedElement(segment, segment.repeats(3)[0] ?? '')
  const value = valueOf(segment)
  const unit = part(segment, 6) || part(segment, 6, 2)
  const status = part(segment, 11)
  const comparator = /^[<>]=?/.exec(value)?.[0]
  const isUcum = part(segment, 6, 3).toUpperCase() === 'UCUM'
  const fact = statedFact(isVitalCode(codes) ? 'vital_sign' : 'lab_result', name, {
    value: value === '' ? null : value,
    unit: unit === '' ? null : unit,
    referenceRange: wordsOfField(segment, 7) || null,
    date: statedDate(isoDate(part(segment, 14)) ?? isoDate(context.date), 'collected'),
    detail: detailOf({
      codes,
      flag: flagOf(segment),
      panel: context.panel,
      specimen: context.specimen,
      ucum: isUcum ? unit : '',
      ...(isComparator(comparator) ? { comparator } : {}),
    }),
  })
  const isEntry = value !== '' && name !== '' && !notCounted.has(status) && !['ED', 'RP'].includes(part(segment, 2))
  return { fact, isEntry, statusWords: statusWords[status] ?? '', note: '' }
}

const isComparator = (text: string | undefined): text is NonNullable<FactDetail['comparator']> =>
  text === '<' || text === '<=' || text === '>' || text === '>='

/** Normal is no flag. */
const flagOf = (segment: Segment) =>
  segment
    .repeats(8)
    .map((repeat) => partOf(segment, repeat, 1))
    .filter((flag) => flag !== '' && flag !== 'N')
    .join(', ')

export function valueOf(segment: Segment): string {
  const type = part(segment, 2)
  const values = segment.repeats(5).map((repeat) => oneValue(segment, type, repeat))
  return values
    .filter((value) => value !== '')
    .join('; ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

function oneValue(segment: Segment, type: string, repeat: string): string {
  const at = (component: number) => partOf(segment, repeat, component)
  switch (type) {
    case 'SN':
      return structuredNumber(at(1), at(2), at(3), at(4))
    case 'CE':
    case 'CWE':
    case 'CNE':
    case 'CF':
      return at(2) || at(9) || at(5) || at(1)
    case 'DT':
    case 'DTM':
    case 'TS':
      return isoDate(at(1)) ?? at(1)
    case 'NM':
    case 'SI':
      return at(1)
    case 'ED':
    case 'RP':
      return ''
    default:
      return repeat
        .split(segment.separators.component)
        .map((each) => unescaped(each, segment.separators).trim())
        .filter((each) => each !== '')
        .join(' ')
  }
}

/** ">^90" is ">90", "^1^:^128" a titre, "^2^+" two plus. */
function structuredNumber(comparator: string, first: string, between: string, second: string): string {
  return `${comparator === '=' ? '' : comparator}${first}${between}${second}`
}
