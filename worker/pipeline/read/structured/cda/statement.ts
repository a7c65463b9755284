/** What the kinds of statements have in common. */
import { all, attribute, first, type Element } from '../xml-tree.ts'
import { nameOfCode, type References } from './values.ts'

export type SectionKind =
  | 'allergies'
  | 'medicines'
  | 'problems'
  | 'immunizations'
  | 'procedures'
  | 'results'
  | 'vitals'
  | 'encounters'
  | 'family'
  | 'social'
  | 'plan'
  | 'other'

export type EntryContext = { readonly section: SectionKind; readonly references: References; readonly isPast: boolean }

export function isTemplate(element: Element, ending: string): boolean {
  return all(element, 'templateId').some((each) => attribute(each, 'root').endsWith(ending))
}

export const isDenied = (statement: Element) => attribute(statement, 'negationInd') === 'true'
export const isNullified = (statement: Element) =>
  ['nullified', 'cancelled'].includes(attribute(first(statement, 'statusCode'), 'code'))

/** The status of a problem is an observation inside of it. */
export function statusInside(observation: Element, references: References): string {
  const inside = all(observation, 'entryRelationship', 'observation').find(
    (each) =>
      attribute(first(each, 'code'), 'code') === '33999-4' ||
      isTemplate(each, '.22.4.6') ||
      isTemplate(each, '.22.4.28'),
  )
  return nameOfCode(first(inside ?? null, 'value'), references)
}

/** Status, severity, age at onset: about the thing around them. */
export function isQualifier(observation: Element): boolean {
  const code = attribute(first(observation, 'code'), 'code')
  return ['33999-4', 'SEV', '11323-3', '445518008', '82606-5', '11450-4'].includes(code) &&
    first(observation, 'value') === null
    ? true
    : ['33999-4', 'SEV', '11323-3', '445518008', '82606-5'].includes(code)
}

export function severityOf(observation: Element, references: References): string {
  const inside = insideOf(observation).find(
    (each) => attribute(first(each, 'code'), 'code') === 'SEV' || isTemplate(each, '.22.4.8'),
  )
  return nameOfCode(first(inside ?? null, 'value'), references)
}

export const insideOf = (statement: Element): Element[] =>
  all(statement, 'entryRelationship', 'observation').flatMap((each) => [
    each,
    ...all(each, 'entryRelationship', 'observation'),
  ])
