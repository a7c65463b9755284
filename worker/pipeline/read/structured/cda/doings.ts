/** Procedures and visits in CDA. */
import type { DataRow } from '../data-sheet.ts'
import { absenceOf, detailOf, statedDate, statedFact } from '../stated-fact.ts'
import { attribute, first, textOf, type Element } from '../xml-tree.ts'
import { isDenied, isNullified, type EntryContext } from './statement.ts'
import { codesOf, nameOfCode, originalText, timeOf, wordsOfName } from './values.ts'

export function readProcedure(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const codes = codesOf(first(statement, 'code'))
  const name = nameOfCode(first(statement, 'code'), references) || originalText(first(statement, 'text'), references)
  if (name === '') return []
  const mood = attribute(statement, 'moodCode')
  const isPlanned = context.section === 'plan' || ['INT', 'RQO', 'PRMS', 'PRP', 'ARQ', 'GOL'].includes(mood)
  const denied = isDenied(statement) || absenceOf(codes, name) === 'none'
  const status = denied ? 'negated' : isPlanned ? 'hypothetical' : 'present'
  const fact = statedFact('procedure', name, {
    status,
    date: statedDate(timeOf(first(statement, 'effectiveTime')).start, 'performed'),
    detail: detailOf({
      codes,
      clinicalStatus: status === 'present' ? 'completed' : status === 'hypothetical' ? 'planned' : null,
      bodySite: nameOfCode(first(statement, 'targetSiteCode'), references),
      provider: wordsOfName(first(statement, 'performer', 'assignedEntity', 'assignedPerson', 'name')),
    }),
  })
  const isAborted = attribute(first(statement, 'statusCode'), 'code') === 'aborted'
  return [
    {
      fact,
      isEntry: !isNullified(statement) && !isAborted,
      statusWords: isPlanned ? 'planned' : isAborted ? 'aborted' : '',
      note: '',
    },
  ]
}

export function readEncounter(statement: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const codes = codesOf(first(statement, 'code'))
  const name = nameOfCode(first(statement, 'code'), references) || 'Encounter'
  const time = timeOf(first(statement, 'effectiveTime'))
  const isPlanned = !['', 'EVN'].includes(attribute(statement, 'moodCode')) || context.section === 'plan'
  const fact = statedFact('encounter', name, {
    status: isPlanned ? 'hypothetical' : 'present',
    date: statedDate(time.start, 'visit'),
    detail: detailOf({
      codes,
      encounterType: name,
      endDate: time.end,
      provider: wordsOfName(first(statement, 'performer', 'assignedEntity', 'assignedPerson', 'name')),
      facility: textOf(first(statement, 'participant', 'participantRole', 'playingEntity', 'name')),
    }),
  })
  return [
    {
      fact,
      isEntry: !isNullified(statement) && time.start !== null,
      statusWords: isPlanned ? 'planned' : '',
      note: '',
    },
  ]
}
