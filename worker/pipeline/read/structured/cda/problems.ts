/** Problems, allergies and illnesses of relatives in CDA. */
import type { DataRow } from '../data-sheet.ts'
import { absenceOf, detailOf, statedDate, statedFact } from '../stated-fact.ts'
import { all, attribute, first, textOf, type Element } from '../xml-tree.ts'
import { isDenied, isNullified, isQualifier, severityOf, statusInside, type EntryContext } from './statement.ts'
import { codesOf, nameOfCode, originalText, timeOf } from './values.ts'

export function readProblem(observation: Element, context: EntryContext): DataRow[] {
  const { references } = context
  const value = first(observation, 'value')
  const codes = codesOf(value)
  const name = nameOfCode(value, references) || originalText(first(observation, 'text'), references)
  if (name === '' || isQualifier(observation)) return []
  const time = timeOf(first(observation, 'effectiveTime'))
  const inside = statusInside(observation, references)
  const absence = absenceOf(codes, name)
  const isOver = context.isPast || /inactive|resolved|remission/i.test(inside) || (inside === '' && time.end !== null)
  const denied = isDenied(observation) || absence === 'none'
  const fact = statedFact('condition', name, {
    status: denied ? 'negated' : isOver ? 'historical' : 'present',
    date: statedDate(time.start, 'onset'),
    detail: detailOf({
      codes,
      clinicalStatus: denied ? null : isOver ? 'resolved' : 'active',
      bodySite: nameOfCode(first(observation, 'targetSiteCode'), references),
      endDate: time.end,
      severity: severityOf(observation, references),
    }),
  })
  const isEntry = !isNullified(observation) && absence !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'denied' : inside, note: '' }]
}

export function readAllergy(observation: Element, context: EntryContext): DataRow[] {
  const { references } = context
  if (isQualifier(observation)) return []
  const agent =
    first(observation, 'participant', 'participantRole', 'playingEntity') ??
    first(observation, 'participant', 'participantRole', 'playingDevice')
  const value = first(observation, 'value')
  const agentCodes = codesOf(first(agent, 'code'))
  const agentName = nameOfCode(first(agent, 'code'), references) || textOf(first(agent, 'name'))
  const kind = nameOfCode(value, references)
  const absence = absenceOf([...codesOf(value), ...agentCodes], agentName || kind)
  const denied = isDenied(observation) || absence === 'none'
  // "Allergy to substance", denied, with nothing named: none are known.
  const name =
    agentName ||
    (denied ? 'No known allergies' : /^(?:propensity|allergy to|drug|food|adverse|intolerance)/i.test(kind) ? '' : kind)
  if (name === '') return []
  const reactions = all(observation, 'entryRelationship')
    .filter((each) => attribute(each, 'typeCode') === 'MFST')
    .map((each) => nameOfCode(first(each, 'observation', 'value'), references))
  const inside = statusInside(observation, references)
  const isOver = /inactive|resolved/i.test(inside)
  const fact = statedFact('allergy', name, {
    status: denied ? 'negated' : isOver ? 'historical' : 'present',
    date: statedDate(timeOf(first(observation, 'effectiveTime')).start, 'onset'),
    detail: detailOf({
      codes: agentName === '' && denied ? [] : agentCodes,
      reaction: reactions.filter(Boolean).join(', '),
      severity: severityOf(observation, references),
    }),
  })
  const isEntry = !isNullified(observation) && absence !== 'unknown'
  return [{ fact, isEntry, statusWords: denied ? 'denied' : inside, note: '' }]
}

export function readRelative(organizer: Element, { references }: EntryContext): DataRow[] {
  const relationship =
    nameOfCode(first(organizer, 'subject', 'relatedSubject', 'code'), references) ||
    attribute(first(organizer, 'subject', 'relatedSubject', 'code'), 'code')
  return all(organizer, 'component', 'observation').flatMap((observation) => {
    const value = first(observation, 'value')
    const name = nameOfCode(value, references)
    if (name === '') return []
    const codes = codesOf(value)
    const fact = statedFact('family_history', name, {
      status: 'family',
      date: statedDate(timeOf(first(observation, 'effectiveTime')).start, 'onset'),
      detail: detailOf({ codes, relationship }),
    })
    const denied = isDenied(observation) || absenceOf(codes, name) !== null
    return [
      {
        fact,
        isEntry: !denied && !isNullified(observation),
        statusWords: denied ? 'not in this relative' : '',
        note: '',
      },
    ]
  })
}
