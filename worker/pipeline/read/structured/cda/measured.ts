/** Results, vital signs and social history in CDA. */
import type { FactType } from '../../../../../clinical/document/found-fact.ts'
import type { DataRow } from '../data-sheet.ts'
import { detailOf, isVitalCode, statedDate, statedFact } from '../stated-fact.ts'
import { all, attribute, first, type Element } from '../xml-tree.ts'
import { isDenied, isNullified, isTemplate, type EntryContext } from './statement.ts'
import { codesOf, nameOfCode, originalText, timeOf, valueOf, type References } from './values.ts'

export function readMeasured(observation: Element, context: EntryContext): DataRow[] {
  const { references, section } = context
  const code = first(observation, 'code')
  const codes = codesOf(code)
  const name = nameOfMeasured(observation, context)
  const { value, unit, comparator } = valueOf(first(observation, 'value'), references)
  if (name === '') return []
  const type: FactType =
    section === 'social' ? 'social_history' : section === 'vitals' || isVitalCode(codes) ? 'vital_sign' : 'lab_result'
  const fact = statedFact(type, name, {
    status: isDenied(observation) ? 'negated' : context.section === 'plan' ? 'hypothetical' : 'present',
    value: value === '' ? null : value,
    unit: unit === '' ? null : unit,
    referenceRange: rangesOf(observation, references) || null,
    date: statedDate(timeOf(first(observation, 'effectiveTime')).start, 'collected'),
    detail: detailOf({ codes, ucum: unit, flag: flagOf(observation), ...(comparator === null ? {} : { comparator }) }),
  })
  const status = attribute(first(observation, 'statusCode'), 'code')
  const isEntry = value !== '' && !isNullified(observation) && attribute(observation, 'moodCode') !== 'GOL'
  return [{ fact, isEntry, statusWords: status === 'completed' ? '' : status, note: '' }]
}

/** Some entries say no more than that something is so; what, their template says. */
function nameOfMeasured(observation: Element, { section, references }: EntryContext): string {
  const code = first(observation, 'code')
  if (attribute(code, 'code') !== 'ASSERTION')
    return nameOfCode(code, references) || originalText(first(observation, 'text'), references)
  if (isTemplate(observation, '.22.4.78')) return 'Smoking status'
  if (isTemplate(observation, '.22.4.85')) return 'Tobacco use'
  return section === 'social' ? 'Social history' : 'Finding'
}

const flagOf = (observation: Element) =>
  all(observation, 'interpretationCode')
    .map((each) => attribute(each, 'code'))
    .filter((flag) => flag !== '' && flag !== 'N')
    .join(', ')

function rangesOf(observation: Element, references: References): string {
  return all(observation, 'referenceRange', 'observationRange')
    .map((range) => originalText(first(range, 'text'), references) || valueOf(first(range, 'value'), references).value)
    .filter((text) => text !== '')
    .join('; ')
}
