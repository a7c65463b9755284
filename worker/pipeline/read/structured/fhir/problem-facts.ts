/** Conditions, allergies, relatives' illnesses, procedures, visits and vaccinations of FHIR. */
import type { FactStatus, SourceCode } from '../../../../../clinical/document/found-fact.ts'
import type { DataRow } from '../data-sheet.ts'
import { absenceOf, detailOf, statedDate, statedFact } from '../stated-fact.ts'
import { at, listAt, textAt, type Json } from './json.ts'
import {
  codeIn,
  codesOf,
  dateIn,
  nameOfConcept,
  wordsOfAll,
  wordsOfAny,
  wordsOfConcept,
  wordsOfNotes,
} from './values.ts'

export type ReadResource = (resource: Json, wordsAt: (reference: unknown) => string) => DataRow[]

type Said = { readonly status: FactStatus; readonly isEntry: boolean; readonly words: string }

/** Entered in error counts for nothing; refuted is a denial. */
function verified(resource: Json): Said {
  const verification = codeIn(at(resource, 'verificationStatus'))
  const clinical = codeIn(at(resource, 'clinicalStatus'))
  const words = [clinical, verification === 'confirmed' ? '' : verification].filter((word) => word !== '').join(', ')
  if (verification === 'entered-in-error') return { status: 'uncertain', isEntry: false, words }
  if (verification === 'refuted') return { status: 'negated', isEntry: true, words }
  if (['unconfirmed', 'provisional', 'differential'].includes(verification))
    return { status: 'uncertain', isEntry: true, words }
  const isOver = ['inactive', 'remission', 'resolved'].includes(clinical)
  return { status: isOver ? 'historical' : 'present', isEntry: true, words }
}

/** A code that says that there are none turns the status round; one that says that nothing is known says nothing. */
function withAbsence(said: Said, codes: readonly SourceCode[], name: string): Said {
  const absence = absenceOf(codes, name)
  if (absence === null) return said
  return absence === 'none' ? { ...said, status: 'negated' } : { ...said, isEntry: false }
}

export const readCondition: ReadResource = (resource) => {
  const codes = codesOf(at(resource, 'code'))
  const name = nameOfConcept(at(resource, 'code'))
  const said = withAbsence(verified(resource), codes, name)
  const ended = dateIn(resource, 'abatementDateTime', 'abatementPeriod')
  const isOver = said.status === 'present' && ended !== null && codeIn(at(resource, 'clinicalStatus')) === ''
  const onset = statedDate(dateIn(resource, 'onsetDateTime', 'onsetPeriod', 'recordedDate'), 'onset')
  const status = isOver ? 'historical' : said.status
  const fact = statedFact('condition', name, {
    status,
    date: onset,
    detail: detailOf({
      codes,
      clinicalStatus: status === 'present' ? 'active' : status === 'historical' ? 'resolved' : null,
      severity: wordsOfConcept(at(resource, 'severity')),
      bodySite: wordsOfAll(listAt(resource, 'bodySite')),
      endDate: ended,
    }),
  })
  return rowOf(fact, { ...said, isEntry: said.isEntry && name !== '' }, noteOf(resource, at(resource, 'code'), name))
}

export const readAllergy: ReadResource = (resource) => {
  const reactions = listAt(resource, 'reaction')
  const concept = at(resource, 'code') ?? at(reactions[0], 'substance')
  const codes = codesOf(concept)
  const name = nameOfConcept(concept)
  const said = withAbsence(verified(resource), codes, name)
  const fact = statedFact('allergy', name, {
    status: said.status,
    date: statedDate(dateIn(resource, 'onsetDateTime', 'onsetPeriod', 'recordedDate', 'assertedDate'), 'onset'),
    detail: detailOf({
      codes,
      reaction: reactions
        .map((each) => wordsOfAll(listAt(each, 'manifestation')))
        .filter(Boolean)
        .join(', '),
      severity: reactions.map((each) => textAt(each, 'severity')).find(Boolean) ?? textAt(resource, 'criticality'),
    }),
  })
  return rowOf(fact, { ...said, isEntry: said.isEntry && name !== '' }, noteOf(resource, concept, name))
}

export const readFamilyHistory: ReadResource = (resource) => {
  const relationship = wordsOfConcept(at(resource, 'relationship')) || textAt(resource, 'name')
  const isWrong = textAt(resource, 'status') === 'entered-in-error'
  const words = isWrong ? 'entered in error' : ''
  return listAt(resource, 'condition').flatMap((condition) => {
    const codes = codesOf(at(condition, 'code'))
    const name = nameOfConcept(at(condition, 'code'))
    const detail = detailOf({ codes, relationship })
    const said = { isEntry: !isWrong && name !== '' && absenceOf(codes, name) === null, words }
    const note = [wordsOfNotes(condition), wordsOfAny(at(condition, 'onsetAge'))].filter(Boolean).join(' ')
    return rowOf(statedFact('family_history', name, { status: 'family', detail }), said, note)
  })
}

const procedureStatuses: Readonly<Record<string, FactStatus>> = {
  preparation: 'hypothetical',
  'on-hold': 'hypothetical',
  'not-done': 'negated',
  unknown: 'uncertain',
}

export const readProcedure: ReadResource = (resource, wordsAt) => {
  const word = textAt(resource, 'status')
  const codes = codesOf(at(resource, 'code'))
  const name = nameOfConcept(at(resource, 'code'))
  const date = dateIn(resource, 'performedDateTime', 'performedPeriod', 'occurrenceDateTime', 'occurrencePeriod')
  const absence = absenceOf(codes, name)
  const status = absence === 'none' ? 'negated' : (procedureStatuses[word] ?? 'present')
  const performers = listAt(resource, 'performer').map((each) => wordsAt(at(each, 'actor')))
  const fact = statedFact('procedure', name, {
    status,
    date: statedDate(date, 'performed'),
    detail: detailOf({
      codes,
      clinicalStatus: status === 'present' ? 'completed' : status === 'hypothetical' ? 'planned' : null,
      bodySite: wordsOfAll(listAt(resource, 'bodySite')),
      provider: performers.filter(Boolean).join(', '),
    }),
  })
  const isEntry = word !== 'entered-in-error' && absence !== 'unknown' && name !== ''
  return rowOf(fact, { isEntry, words: word }, noteOf(resource, at(resource, 'code'), name))
}

export const readImmunization: ReadResource = (resource, wordsAt) => {
  const word = textAt(resource, 'status')
  const codes = codesOf(at(resource, 'vaccineCode'))
  const name = nameOfConcept(at(resource, 'vaccineCode'))
  const absence = absenceOf(codes, name)
  const [protocol] = listAt(resource, 'protocolApplied')
  const isDenied = word === 'not-done' || absence === 'none'
  const fact = statedFact('immunization', name, {
    status: isDenied ? 'negated' : 'present',
    date: statedDate(dateIn(resource, 'occurrenceDateTime', 'date'), 'given'),
    detail: detailOf({
      codes,
      batch: textAt(resource, 'lotNumber'),
      site: wordsOfConcept(at(resource, 'site')),
      route: wordsOfConcept(at(resource, 'route')),
      doseNumber:
        textAt(protocol, 'doseNumberPositiveInt') ||
        textAt(protocol, 'doseNumberString') ||
        textAt(protocol, 'doseNumber'),
      manufacturer: wordsAt(at(resource, 'manufacturer')),
    }),
  })
  const isEntry = word !== 'entered-in-error' && absence !== 'unknown' && name !== ''
  const words =
    word === 'completed' ? '' : [word, wordsOfConcept(at(resource, 'statusReason'))].filter(Boolean).join(', ')
  return rowOf(fact, { isEntry, words }, noteOf(resource, at(resource, 'vaccineCode'), name))
}

export const readEncounter: ReadResource = (resource, wordsAt) => {
  const word = textAt(resource, 'status')
  const kind = wordsOfAll(listAt(resource, 'class')) || wordsOfConcept(at(resource, 'class'))
  const types = listAt(resource, 'type')
  const name = types.map(nameOfConcept).find(Boolean) ?? encounterClasses[kind] ?? kind
  const period = at(resource, 'period') ?? at(resource, 'actualPeriod')
  const people = listAt(resource, 'participant').map((each) => wordsAt(at(each, 'individual') ?? at(each, 'actor')))
  const places = listAt(resource, 'location').map((each) => wordsAt(at(each, 'location')))
  const fact = statedFact('encounter', name, {
    status: ['planned', 'arrived', 'triaged'].includes(word) ? 'hypothetical' : 'present',
    date: statedDate(textAt(period, 'start'), 'visit'),
    detail: detailOf({
      codes: types.flatMap(codesOf),
      encounterType: encounterClasses[kind] ?? kind,
      provider: people.filter(Boolean).join(', '),
      facility: wordsAt(at(resource, 'serviceProvider')) || places.filter(Boolean).join(', '),
      endDate: dateIn({ end: textAt(period, 'end') }, 'end'),
    }),
  })
  const isEntry = !['entered-in-error', 'cancelled', 'unknown', 'discontinued'].includes(word) && name !== ''
  const words = ['finished', 'completed'].includes(word) ? '' : word
  return rowOf(fact, { isEntry, words }, wordsOfAll([...listAt(resource, 'reasonCode'), ...listAt(resource, 'reason')]))
}

const encounterClasses: Readonly<Record<string, string>> = {
  AMB: 'ambulatory visit',
  IMP: 'inpatient stay',
  ACUTE: 'inpatient stay',
  EMER: 'emergency visit',
  HH: 'home visit',
  VR: 'telehealth visit',
  OBSENC: 'observation stay',
  SS: 'day stay',
}

/** What the writer said and the name of the code does not. */
function noteOf(resource: Json, concept: unknown, name: string): string {
  const words = wordsOfConcept(concept)
  return [words.toLowerCase() === name.toLowerCase() ? '' : words, wordsOfNotes(resource)].filter(Boolean).join('. ')
}

export function rowOf(
  fact: DataRow['fact'],
  said: { readonly isEntry: boolean; readonly words: string },
  note: string,
): DataRow[] {
  return [{ fact, isEntry: said.isEntry, statusWords: said.words.replaceAll('-', ' '), note }]
}
