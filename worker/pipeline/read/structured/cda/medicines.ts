/** Medicines and vaccinations in CDA. */
import type { FactStatus } from '../../../../../clinical/document/found-fact.ts'
import type { DataRow } from '../data-sheet.ts'
import { absenceOf, detailOf, statedDate, statedFact } from '../stated-fact.ts'
import { all, attribute, first, textOf, type Element } from '../xml-tree.ts'
import { isDenied, isNullified, isTemplate, type EntryContext } from './statement.ts'
import { codesOf, nameOfCode, originalText, timeOf, valueOf, type References } from './values.ts'

function material(statement: Element): Element | null {
  return first(statement, 'consumable', 'manufacturedProduct', 'manufacturedMaterial')
}

function nameOfMaterial(statement: Element, references: References): string {
  const product = material(statement)
  return (
    nameOfCode(first(product, 'code'), references) ||
    textOf(first(product, 'name')) ||
    originalText(first(statement, 'text'), references)
  )
}

export function readVaccination(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const product = material(statement)
  const codes = codesOf(first(product, 'code'))
  const name = nameOfMaterial(statement, references)
  if (name === '') return []
  const denied = isDenied(statement) || absenceOf(codes, name) === 'none'
  const isPlanned = !['', 'EVN'].includes(attribute(statement, 'moodCode')) || context.section === 'plan'
  const fact = statedFact('immunization', name, {
    status: denied ? 'negated' : isPlanned ? 'hypothetical' : 'present',
    date: statedDate(timeOf(first(statement, 'effectiveTime')).start, 'given'),
    detail: detailOf({
      codes,
      batch: textOf(first(product, 'lotNumberText')),
      manufacturer: textOf(
        first(statement, 'consumable', 'manufacturedProduct', 'manufacturerOrganization') === null
          ? null
          : first(statement, 'consumable', 'manufacturedProduct', 'manufacturerOrganization', 'name'),
      ),
      route: nameOfCode(first(statement, 'routeCode'), references),
      site: nameOfCode(first(statement, 'approachSiteCode'), references),
      doseNumber: attribute(first(statement, 'repeatNumber'), 'value'),
    }),
  })
  const isEntry = !isNullified(statement) && absenceOf(codes, name) !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'not given' : '', note: '' }]
}

export function readMedicine(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const codes = codesOf(first(material(statement), 'code'))
  const name = nameOfMaterial(statement, references)
  if (name === '') return []
  const [span, ...others] = all(statement, 'effectiveTime')
  const time = timeOf(span ?? null)
  const status = attribute(first(statement, 'statusCode'), 'code')
  const absence = absenceOf(codes, name)
  const denied = isDenied(statement) || absence === 'none'
  const said = denied ? ({ status: 'negated', clinicalStatus: null } as const) : saidOfMedicine(status, context)
  const dose = valueOf(first(statement, 'doseQuantity'), references)
  const fact = statedFact('medication', name, {
    status: said.status,
    date: statedDate(time.start, 'started'),
    detail: detailOf({
      codes,
      clinicalStatus: said.clinicalStatus,
      dose: `${dose.value} ${dose.unit}`.trim(),
      route: nameOfCode(first(statement, 'routeCode'), references),
      frequency: others.map(wordsOfInterval).find(Boolean) ?? '',
      endDate: time.end,
      indication: indicationOf(statement, references),
    }),
  })
  const isEntry = !['nullified', 'cancelled'].includes(status) && absence !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'not taken' : status, note: instructionsOf(statement, references) }]
}

type Said = { readonly status: FactStatus; readonly clinicalStatus: 'active' | 'stopped' | 'planned' }

/** Completed says that the record is, not that the medicine is finished: lists of current ones are full of it. */
function saidOfMedicine(status: string, { section, isPast }: EntryContext): Said {
  if (section === 'plan') return { status: 'hypothetical', clinicalStatus: 'planned' }
  const isStopped = isPast || status === 'aborted' || status === 'suspended'
  return isStopped
    ? { status: 'historical', clinicalStatus: 'stopped' }
    : { status: 'present', clinicalStatus: 'active' }
}

function wordsOfInterval(element: Element): string {
  const period = first(element, 'period')
  const amount = attribute(period, 'value')
  const unit = { h: 'hours', d: 'days', wk: 'weeks', mo: 'months', min: 'minutes' }[attribute(period, 'unit')]
  if (amount !== '' && unit !== undefined)
    return amount === '1' ? `every ${unit.slice(0, -1)}` : `every ${amount} ${unit}`
  return attribute(first(element, 'event'), 'code') || attribute(element, 'displayName')
}

function indicationOf(statement: Element, references: References): string {
  const reason = all(statement, 'entryRelationship').find((each) => attribute(each, 'typeCode') === 'RSON')
  return nameOfCode(first(reason ?? null, 'observation', 'value'), references)
}

function instructionsOf(statement: Element, references: References): string {
  const inside = all(statement, 'entryRelationship', 'act').find((each) => isTemplate(each, '.22.4.20'))
  return originalText(first(inside ?? null, 'text'), references)
}
