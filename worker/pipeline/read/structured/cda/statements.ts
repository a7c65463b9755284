/** Entries of CDA as facts: what kind they are of is said by their section, their template or their class. */
import type { DataRow } from '../data-sheet.ts'
import { isVitalCode } from '../stated-fact.ts'
import { readEncounter, readProcedure } from './doings.ts'
import { all, attribute, first, type Element } from '../xml-tree.ts'
import { readMeasured } from './measured.ts'
import { readMedicine, readVaccination } from './medicines.ts'
import { readAllergy, readProblem, readRelative } from './problems.ts'
import { isTemplate, type EntryContext } from './statement.ts'
import { codesOf } from './values.ts'

const statementNames = [
  'act',
  'observation',
  'substanceAdministration',
  'supply',
  'procedure',
  'encounter',
  'organizer',
]

/** The statements below an entry that say something of their own. */
export function readEntry(holder: Element, context: EntryContext): DataRow[] {
  return holder.children.flatMap((child) =>
    typeof child !== 'string' && statementNames.includes(child.name) ? readStatement(child, context) : [],
  )
}

function readStatement(statement: Element, context: EntryContext): DataRow[] {
  // Of an unknown thing nothing is said; "nothing" itself may be said with negationInd.
  if (attribute(statement, 'nullFlavor') !== '' && attribute(statement, 'negationInd') !== 'true') return []
  switch (statement.name) {
    case 'substanceAdministration':
      return context.section === 'immunizations' || isTemplate(statement, '.22.4.52')
        ? readVaccination(statement, context)
        : readMedicine(statement, context)
    case 'encounter':
      return [...readEncounter(statement, context), ...diagnosesOf(statement, context)]
    case 'procedure':
      return readProcedure(statement, context)
    case 'organizer':
      return first(statement, 'subject', 'relatedSubject') === null
        ? all(statement, 'component').flatMap((each) => readEntry(each, context))
        : readRelative(statement, context)
    case 'observation':
      return readObservation(statement, context)
    case 'supply':
      return all(statement, 'entryRelationship').flatMap((each) => readEntry(each, context))
    default:
      return readAct(statement, context)
  }
}

const diagnosesOf = (encounter: Element, context: EntryContext) =>
  all(encounter, 'entryRelationship').flatMap((each) => readEntry(each, { ...context, section: 'problems' }))

/** A concern holds its problem or allergy; other acts are things done. */
function readAct(act: Element, context: EntryContext): DataRow[] {
  const inner = all(act, 'entryRelationship').flatMap((each) =>
    readEntry(each, context).map((row) => withConcern(act, row)),
  )
  if (inner.length > 0 || ['allergies', 'problems', 'results', 'vitals', 'social'].includes(context.section))
    return inner
  return context.section === 'procedures' || context.section === 'plan' ? readProcedure(act, context) : []
}

/** A concern that was entered in error takes its problem along. */
function withConcern(act: Element, row: DataRow): DataRow {
  const status = attribute(first(act, 'statusCode'), 'code')
  return status === 'nullified' ? { ...row, isEntry: false, statusWords: 'entered in error' } : row
}

function readObservation(observation: Element, context: EntryContext): DataRow[] {
  if (isTemplate(observation, '.22.4.7') || context.section === 'allergies') return readAllergy(observation, context)
  if (isTemplate(observation, '.22.4.4') || context.section === 'problems') return readProblem(observation, context)
  if (context.section === 'procedures' || context.section === 'plan') return readProcedure(observation, context)
  if (context.section === 'family' || context.section === 'medicines' || context.section === 'immunizations') return []
  if (context.section === 'encounters' || context.section === 'other')
    return isMeasured(observation) ? readMeasured(observation, context) : []
  return readMeasured(observation, context)
}

const isMeasured = (observation: Element) =>
  isVitalCode(codesOf(first(observation, 'code'))) || attribute(first(observation, 'value'), 'unit') !== ''
