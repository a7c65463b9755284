/** Codes, quantities, times and names of CDA. */
import type { SourceCode } from '../../../../../clinical/document/found-fact.ts'
import { isoDate, sourceCode } from '../stated-fact.ts'
import { all, attribute, first, textOf, type Element } from '../xml-tree.ts'

/** Text of the narrative by the id that entries point at. */
export type References = ReadonlyMap<string, string>

/** The code and its translations into other systems. */
export function codesOf(element: Element | null): SourceCode[] {
  return [element, ...all(element, 'translation')].flatMap((each) => {
    const code = attribute(each, 'code')
    if (code === '' || each === null) return []
    return [
      sourceCode(
        attribute(each, 'codeSystem') || attribute(each, 'codeSystemName'),
        code,
        attribute(each, 'displayName'),
      ),
    ]
  })
}

export function nameOfCode(element: Element | null, references: References): string {
  const displays = [element, ...all(element, 'translation')].map((each) => attribute(each, 'displayName').trim())
  return displays.find((text) => text !== '') ?? originalText(first(element, 'originalText'), references)
}

/** Written there, or pointed at in the narrative; what points at a whole table names nothing. */
export function originalText(element: Element | null, references: References): string {
  const own = textOf(element)
  if (own !== '') return own
  const pointed = references.get(attribute(first(element, 'reference'), 'value').replace(/^#/, '')) ?? ''
  return pointed.length <= 200 ? pointed : ''
}

export type Value = {
  readonly value: string
  readonly unit: string
  readonly comparator: '<' | '<=' | '>' | '>=' | null
}
const noValue: Value = { value: '', unit: '', comparator: null }

export function valueOf(element: Element | null, references: References): Value {
  if (element === null) return noValue
  const type = attribute(element, 'xsi:type') || attribute(element, 'type')
  const amount = attribute(element, 'value')
  if (amount !== '')
    return { value: type === 'TS' ? (isoDate(amount) ?? amount) : amount, unit: plainUnit(element), comparator: null }
  const [low, high] = [first(element, 'low'), first(element, 'high')]
  if (attribute(low, 'value') !== '' || attribute(high, 'value') !== '') return rangeValue(low, high)
  if (
    attribute(element, 'code') !== '' ||
    first(element, 'translation') !== null ||
    first(element, 'originalText') !== null
  )
    return { ...noValue, value: nameOfCode(element, references) || attribute(element, 'code') }
  return { ...noValue, value: originalText(element, references) }
}

function rangeValue(low: Element | null, high: Element | null): Value {
  const [from, to] = [attribute(low, 'value'), attribute(high, 'value')]
  const unit = plainUnit(low) || plainUnit(high)
  if (from !== '' && to !== '') return { value: `${from}-${to}`, unit, comparator: null }
  const isIncluded = attribute(from === '' ? high : low, 'inclusive') !== 'false'
  const comparator = from === '' ? (isIncluded ? '<=' : '<') : isIncluded ? '>=' : '>'
  return { value: `${comparator}${from || to}`, unit, comparator }
}

const plainUnit = (element: Element | null) => {
  const unit = attribute(element, 'unit')
  return unit === '1' || /^\{.*\}$/.test(unit) ? '' : unit
}

/** A moment, or the beginning of a span; `high` where only its end is known. */
export function timeOf(element: Element | null): { readonly start: string | null; readonly end: string | null } {
  const start =
    isoDate(attribute(element, 'value')) ??
    isoDate(attribute(first(element, 'low'), 'value')) ??
    isoDate(attribute(first(element, 'center'), 'value'))
  return { start, end: isoDate(attribute(first(element, 'high'), 'value')) }
}

export function wordsOfName(name: Element | null): string {
  const parts = ['prefix', 'given', 'family', 'suffix'].flatMap((part) =>
    all(name, part)
      .filter((each) => attribute(each, 'nullFlavor') === '')
      .map(textOf),
  )
  const words = parts.filter((part) => part !== '').join(' ')
  return words === '' ? textOf(name) : words
}

export function wordsOfAddress(address: Element | null): string {
  const parts = (address?.children ?? []).map((child) =>
    typeof child === 'string' ? child.trim() : child.name === 'useablePeriod' ? '' : textOf(child),
  )
  return parts.filter((part) => part !== '').join(', ')
}

export const wordsOfTelecom = (holder: Element | null) =>
  all(holder, 'telecom')
    .map((each) => attribute(each, 'value').replace(/^(?:tel|mailto):/, ''))
    .filter((text) => text !== '')
    .join(', ')
