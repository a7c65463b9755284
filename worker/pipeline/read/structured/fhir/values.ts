/** The words and codes of FHIR's data types. */
import type { SourceCode } from '../../../../../clinical/document/found-fact.ts'
import { isoDate, sourceCode } from '../stated-fact.ts'
import { at, isJson, listAt, textAt } from './json.ts'

/** A CodeableConcept, a Coding, or R5's CodeableReference. */
export function codesOf(concept: unknown): SourceCode[] {
  const whole = isJson(at(concept, 'concept')) ? at(concept, 'concept') : concept
  const codings = listAt(whole, 'coding')
  return (codings.length > 0 ? codings : [whole]).flatMap((coding) => {
    const code = textAt(coding, 'code')
    return code === '' ? [] : [sourceCode(textAt(coding, 'system'), code, textAt(coding, 'display'))]
  })
}

/** As the writer put it, else as the code system does. */
export function wordsOfConcept(concept: unknown): string {
  const whole = isJson(at(concept, 'concept')) ? at(concept, 'concept') : concept
  const codings = listAt(whole, 'coding')
  const display = [...codings, whole].map((coding) => textAt(coding, 'display')).find((text) => text !== '')
  return (
    textAt(whole, 'text') ||
    (display ?? '') ||
    textAt(at(concept, 'reference'), 'display') ||
    (codings.map((coding) => textAt(coding, 'code')).find((code) => code !== '') ?? '')
  )
}

/** The code system's own name for it, which other records will use; the writer's words where there is none. */
export function nameOfConcept(concept: unknown): string {
  const whole = isJson(at(concept, 'concept')) ? at(concept, 'concept') : concept
  const displays = listAt(whole, 'coding').map((coding) => textAt(coding, 'display'))
  return displays.find((text) => text !== '') ?? wordsOfConcept(concept)
}

export const wordsOfAll = (concepts: readonly unknown[]) =>
  concepts
    .map(wordsOfConcept)
    .filter((text) => text !== '')
    .join(', ')

export function codeIn(concept: unknown): string {
  const [first] = listAt(concept, 'coding')
  return textAt(first, 'code') || textAt(concept, 'code') || (typeof concept === 'string' ? concept : '')
}

export function wordsOfQuantity(quantity: unknown): string {
  const number = textAt(quantity, 'value')
  if (number === '') return ''
  return [`${textAt(quantity, 'comparator')}${number}`, unitOfQuantity(quantity)]
    .filter((text) => text !== '')
    .join(' ')
}

export const unitOfQuantity = (quantity: unknown) => textAt(quantity, 'unit') || plainUnit(textAt(quantity, 'code'))

/** UCUM's "1" and "{score}" are no units to print. */
const plainUnit = (code: string) => (code === '1' || /^\{.*\}$/.test(code) ? '' : code)

export const ucumOf = (quantity: unknown) =>
  textAt(quantity, 'system') === 'http://unitsofmeasure.org' ? textAt(quantity, 'code') : ''

export function wordsOfRange(range: unknown): string {
  const low = wordsOfQuantity(at(range, 'low'))
  const high = wordsOfQuantity(at(range, 'high'))
  const unit = unitOfQuantity(at(range, 'high')) || unitOfQuantity(at(range, 'low'))
  if (low !== '' && high !== '')
    return `${textAt(range, 'low', 'value')}-${textAt(range, 'high', 'value')}${unit === '' ? '' : ` ${unit}`}`
  return low === '' ? (high === '' ? '' : `<= ${high}`) : `>= ${low}`
}

/** "2021-02-03", or both ends of a period. */
export function wordsOfPeriod(period: unknown): string {
  return [textAt(period, 'start'), textAt(period, 'end')]
    .map((end) => isoDate(end) ?? '')
    .filter(Boolean)
    .join(' to ')
}

export function wordsOfName(name: unknown): string {
  const given = listAt(name, 'given').filter((part) => typeof part === 'string')
  const parts = [...given, textAt(name, 'family')].filter((part) => part !== '')
  return parts.length > 0 ? parts.join(' ') : textAt(name, 'text')
}

export function wordsOfAddress(address: unknown): string {
  const parts = [
    ...listAt(address, 'line').filter((line) => typeof line === 'string'),
    ...['city', 'state', 'postalCode', 'country'].map((part) => textAt(address, part)),
  ].filter((part) => part !== '')
  return parts.length > 0 ? parts.join(', ') : textAt(address, 'text')
}

export const wordsOfNotes = (resource: unknown) =>
  listAt(resource, 'note')
    .map((note) => textAt(note, 'text'))
    .filter((text) => text !== '')
    .join(' ')

/** A date of any of the fields of a choice ("onsetDateTime", "onsetPeriod"). */
export function dateIn(resource: unknown, ...fields: readonly string[]): string | null {
  for (const field of fields) {
    const date = isoDate(textAt(resource, field)) ?? isoDate(textAt(at(resource, field), 'start'))
    if (date !== null) return date
  }
  return null
}

/** A value of any kind, as one line. */
export function wordsOfAny(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value.startsWith('<') ? '' : value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (depth > 4) return ''
  if (Array.isArray(value))
    return joined(
      value.map((item) => wordsOfAny(item, depth + 1)),
      '; ',
    )
  if (!isJson(value)) return ''
  const named = wordsOfConcept(value)
  if (named !== '') return named
  if (typeof value['value'] === 'number') return wordsOfQuantity(value)
  if ('start' in value || 'end' in value) return wordsOfPeriod(value)
  return joined(
    Object.entries(value)
      .filter(([name]) => !technical.has(name))
      .map(([, item]) => wordsOfAny(item, depth + 1)),
    ' ',
  )
}

const technical = new Set(['system', 'id', 'extension', 'modifierExtension', 'reference', 'url', 'data', 'hash', 'div'])
const joined = (parts: readonly string[], between: string) => parts.filter((part) => part !== '').join(between)
