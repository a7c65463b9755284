/** Observations of FHIR: results, vital signs, social history, findings. */
import type { FactDetail, FactType, SourceCode } from '../../../../../clinical/document/found-fact.ts'
import type { DataRow } from '../data-sheet.ts'
import { detailOf, isVitalCode, statedDate, statedFact } from '../stated-fact.ts'
import { at, isJson, listAt, textAt, type Json } from './json.ts'
import { rowOf, type ReadResource } from './problem-facts.ts'
import {
  codeIn,
  codesOf,
  dateIn,
  nameOfConcept,
  ucumOf,
  unitOfQuantity,
  wordsOfAny,
  wordsOfConcept,
  wordsOfNotes,
  wordsOfPeriod,
  wordsOfRange,
} from './values.ts'

const notCounted = new Set(['entered-in-error', 'cancelled', 'registered'])

export const readObservation: ReadResource = (resource, wordsAt) => {
  const codes = codesOf(at(resource, 'code'))
  const word = textAt(resource, 'status')
  const common: Common = {
    type: typeOfObservation(resource, codes),
    date: dateIn(resource, 'effectiveDateTime', 'effectivePeriod', 'effectiveInstant', 'issued'),
    words: word === 'final' ? '' : word,
    isCounted: !notCounted.has(word),
    specimen: wordsAt(at(resource, 'specimen')),
    note: wordsOfNotes(resource),
  }
  const parts = listAt(resource, 'component').filter(isJson)
  const pressure = pressureOf(parts)
  if (pressure !== null) return [pressureRow(resource, pressure, common)]
  const own = measured(resource, { ...common, codes })
  const panel = nameOfConcept(at(resource, 'code'))
  const ofParts = parts.flatMap((part) =>
    measured(part, { ...common, codes: codesOf(at(part, 'code')), panel, note: '' }),
  )
  const isGroup = own.every(({ fact }) => fact.value === null)
  return isGroup && (ofParts.length > 0 || listAt(resource, 'hasMember').length > 0) ? ofParts : [...own, ...ofParts]
}

type Common = {
  readonly type: FactType
  readonly date: string | null
  readonly words: string
  readonly isCounted: boolean
  readonly specimen: string
  readonly note: string
  readonly panel?: string
}

function measured(holder: Json, common: Common & { readonly codes: readonly SourceCode[] }): DataRow[] {
  const { value, unit, ucum } = valueOf(holder)
  const reason = wordsOfConcept(at(holder, 'dataAbsentReason'))
  const name = nameOfConcept(at(holder, 'code'))
  const comparator = comparatorOf(textAt(at(holder, 'valueQuantity'), 'comparator'))
  const fact = statedFact(common.type, name, {
    value: value === '' ? null : value,
    unit: unit === '' ? null : unit,
    referenceRange: rangeOf(holder) || null,
    date: statedDate(common.date, 'collected'),
    detail: detailOf({
      codes: common.codes,
      ucum,
      flag: flagOf(holder),
      specimen: common.specimen,
      panel: common.panel ?? null,
      ...(comparator === null ? {} : { comparator }),
    }),
  })
  const isEntry = common.isCounted && value !== '' && name !== ''
  const words = wordsOfConcept(at(holder, 'code'))
  const note = [words.toLowerCase() === name.toLowerCase() ? '' : words, reason, common.note].filter(Boolean).join('. ')
  return rowOf(fact, { isEntry, words: common.words }, note)
}

type Value = { readonly value: string; readonly unit: string; readonly ucum: string }

function valueOf(holder: Json): Value {
  const quantity = at(holder, 'valueQuantity')
  if (isJson(quantity)) {
    const value = `${textAt(quantity, 'comparator')}${textAt(quantity, 'value')}`
    return { value, unit: unitOfQuantity(quantity), ucum: ucumOf(quantity) }
  }
  const concept = at(holder, 'valueCodeableConcept')
  const ratio = at(holder, 'valueRatio')
  const isAnswered = at(holder, 'valueBoolean')
  const words = isJson(concept)
    ? nameOfConcept(concept)
    : isJson(ratio)
      ? `${textAt(ratio, 'numerator', 'value')}:${textAt(ratio, 'denominator', 'value')}`
      : typeof isAnswered === 'boolean'
        ? isAnswered
          ? 'yes'
          : 'no'
        : otherValue(holder)
  return { value: words, unit: '', ucum: '' }
}

function otherValue(holder: Json): string {
  for (const name of ['valueString', 'valueInteger', 'valueDateTime', 'valueTime'])
    if (textAt(holder, name) !== '') return textAt(holder, name)
  return wordsOfRange(at(holder, 'valueRange')) || wordsOfPeriod(at(holder, 'valuePeriod'))
}

function rangeOf(holder: Json): string {
  return listAt(holder, 'referenceRange')
    .map((range) => (isJson(range) ? bareRange(range) || textAt(range, 'text') || wordsOfAny(at(range, 'type')) : ''))
    .filter(Boolean)
    .slice(0, 3)
    .join('; ')
}

/** As laboratories print it: the unit stands beside the value already. */
function bareRange(range: Json): string {
  const [low, high] = [textAt(range, 'low', 'value'), textAt(range, 'high', 'value')]
  if (low !== '' && high !== '') return `${low}-${high}`
  return low === '' ? (high === '' ? '' : `<=${high}`) : `>=${low}`
}

function flagOf(holder: Json): string {
  return listAt(holder, 'interpretation')
    .map((each) => codeIn(each) || wordsOfConcept(each))
    .filter((flag) => flag !== '' && flag !== 'N')
    .join(', ')
}

function comparatorOf(text: string): NonNullable<FactDetail['comparator']> | null {
  return text === '<' || text === '<=' || text === '>' || text === '>=' ? text : null
}

type Pressure = { readonly systolic: string; readonly diastolic: string; readonly unit: string }

function pressureOf(parts: readonly Json[]): Pressure | null {
  const partOf = (code: string) => parts.find((part) => codesOf(at(part, 'code')).some((each) => each.code === code))
  const [systolic, diastolic] = [partOf('8480-6'), partOf('8462-4')].map((part) => at(part, 'valueQuantity'))
  const [high, low] = [textAt(systolic, 'value'), textAt(diastolic, 'value')]
  if (high === '' || low === '') return null
  return { systolic: rounded(high), diastolic: rounded(low), unit: unitOfQuantity(systolic) }
}

/** Made-up records measure to eleven places. */
const rounded = (number: string) => (/\.\d{3,}/.test(number) ? String(Math.round(Number(number) * 10) / 10) : number)

function pressureRow(resource: Json, { systolic, diastolic, unit }: Pressure, common: Common): DataRow {
  const codes = codesOf(at(resource, 'code'))
  const fact = statedFact('vital_sign', nameOfConcept(at(resource, 'code')) || 'Blood pressure', {
    value: `${systolic}/${diastolic}`,
    unit: unit === '' ? null : unit,
    date: statedDate(common.date, 'collected'),
    detail: detailOf({
      codes,
      flag: flagOf(resource),
      components: [
        { name: 'systolic', value: systolic },
        { name: 'diastolic', value: diastolic },
      ],
    }),
  })
  return { fact, isEntry: common.isCounted, statusWords: common.words, note: common.note }
}

const typesByCategory: Readonly<Record<string, FactType>> = {
  'vital-signs': 'vital_sign',
  laboratory: 'lab_result',
  'social-history': 'social_history',
  sdoh: 'social_history',
  imaging: 'imaging_result',
  exam: 'physical_finding',
  survey: 'physical_finding',
}
/** Smoking, drinking, occupation. */
const socialCodes = new Set(['72166-2', '74013-4', '11367-0', '11331-6', '63586-2', '82810-3', '76690-7', '11341-5'])

function typeOfObservation(resource: Json, codes: readonly SourceCode[]): FactType {
  if (isVitalCode(codes)) return 'vital_sign'
  if (codes.some(({ code }) => socialCodes.has(code))) return 'social_history'
  const categories = listAt(resource, 'category').flatMap((each) => codesOf(each).map(({ code }) => code))
  const known = categories.map((category) => typesByCategory[category]).find((type) => type !== undefined)
  // Height and weight are said to be vital signs and are; a score that is said to be one is none.
  return known ?? 'lab_result'
}
