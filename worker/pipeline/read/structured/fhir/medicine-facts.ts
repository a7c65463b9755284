/** Medicines of FHIR: what is taken, prescribed, handed out or given. */
import type { FactDetail, FactStatus } from '../../../../../clinical/document/found-fact.ts'
import { absenceOf, detailOf, statedDate, statedFact } from '../stated-fact.ts'
import { at, isJson, listAt, textAt, type Json } from './json.ts'
import { typeOf, type Library } from './library.ts'
import { rowOf, type ReadResource } from './problem-facts.ts'
import {
  codesOf,
  dateIn,
  nameOfConcept,
  wordsOfAll,
  wordsOfConcept,
  wordsOfNotes,
  wordsOfQuantity,
  wordsOfRange,
} from './values.ts'

export const readMedicine =
  (library: Library): ReadResource =>
  (resource, wordsAt) => {
    const concept = conceptOf(library, resource)
    const codes = codesOf(concept)
    const name = nameOfConcept(concept) || textAt(at(resource, 'medicationReference'), 'display')
    const absence = absenceOf(codes, name)
    const word = textAt(resource, 'status')
    const { status, clinicalStatus } = saidOf(resource, word)
    const [dosage] = [...listAt(resource, 'dosage'), ...listAt(resource, 'dosageInstruction')]
    const period = at(resource, 'effectivePeriod') ?? at(resource, 'effectiveDateTime')
    const fact = statedFact('medication', name, {
      status: absence === 'none' ? 'negated' : status,
      date: statedDate(
        dateIn(
          resource,
          'effectivePeriod',
          'effectiveDateTime',
          'occurrencePeriod',
          'occurrenceDateTime',
          'authoredOn',
          'whenHandedOver',
          'dateAsserted',
        ),
        'started',
      ),
      detail: detailOf({
        codes,
        clinicalStatus: absence === 'none' ? null : clinicalStatus,
        ...(isJson(dosage) ? dosageOf(dosage) : {}),
        indication: wordsOfAll([...listAt(resource, 'reasonCode'), ...listAt(resource, 'reason')]),
        prescriber: wordsAt(at(resource, 'requester')) || textAt(at(resource, 'informationSource'), 'display'),
        endDate: dateIn({ end: textAt(period, 'end') }, 'end'),
      }),
    })
    const isEntry = !['entered-in-error', 'draft', 'cancelled'].includes(word) && absence !== 'unknown' && name !== ''
    const words = wordsOfConcept(concept)
    const note = [words.toLowerCase() === name.toLowerCase() ? '' : words, textOfDosage(dosage), wordsOfNotes(resource)]
    return rowOf(fact, { isEntry, words: word }, note.filter(Boolean).join('. '))
  }

function conceptOf(library: Library, resource: Json): unknown {
  const stated = at(resource, 'medicationCodeableConcept') ?? at(resource, 'medication')
  if (isJson(stated) && (isJson(stated['concept']) || 'coding' in stated || 'text' in stated)) return stated
  const pointer = at(resource, 'medicationReference') ?? at(stated, 'reference')
  const medicine = library.find(pointer, resource)
  return at(medicine, 'code') ?? listAt(medicine, 'ingredient').map((each) => at(each, 'itemCodeableConcept'))[0]
}

type Said = { readonly status: FactStatus; readonly clinicalStatus: NonNullable<FactDetail['clinicalStatus']> | null }

function saidOf(resource: Json, word: string): Said {
  if (at(resource, 'doNotPerform') === true || ['not-taken', 'not-done', 'declined'].includes(word))
    return { status: 'negated', clinicalStatus: null }
  if (['proposal', 'plan', 'option'].includes(textAt(resource, 'intent')) && word !== 'completed')
    return planned(resource, word)
  if (word === 'unknown') return { status: 'uncertain', clinicalStatus: null }
  if (word === 'intended') return { status: 'hypothetical', clinicalStatus: 'planned' }
  if (['stopped', 'on-hold', 'ended', 'cancelled'].includes(word))
    return { status: 'historical', clinicalStatus: 'stopped' }
  if (
    word === 'completed' ||
    typeOf(resource) === 'MedicationDispense' ||
    typeOf(resource) === 'MedicationAdministration'
  )
    return { status: 'historical', clinicalStatus: 'completed' }
  return { status: 'present', clinicalStatus: 'active' }
}

/** A plan that is active is what a person takes: lists of current medicines are written as plans. */
function planned(resource: Json, word: string): Said {
  const isTaken = word === 'active' && textAt(resource, 'intent') === 'plan'
  return isTaken
    ? { status: 'present', clinicalStatus: 'active' }
    : { status: 'hypothetical', clinicalStatus: 'planned' }
}

function dosageOf(dosage: Json): FactDetail {
  const [rate] = listAt(dosage, 'doseAndRate')
  const dose =
    wordsOfQuantity(at(rate, 'doseQuantity') ?? at(dosage, 'doseQuantity')) || wordsOfRange(at(rate, 'doseRange'))
  const timing = at(dosage, 'timing')
  return detailOf({
    dose,
    route: wordsOfConcept(at(dosage, 'route')),
    frequency: wordsOfConcept(at(timing, 'code')) || wordsOfTiming(at(timing, 'repeat')) || asNeeded(dosage),
    site: wordsOfConcept(at(dosage, 'site')),
  })
}

const asNeeded = (dosage: Json) =>
  at(dosage, 'asNeededBoolean') === true || at(dosage, 'asNeeded') === true ? 'as needed' : ''

const periodWords: Readonly<Record<string, string>> = {
  s: 'second',
  min: 'minute',
  h: 'hour',
  d: 'day',
  wk: 'week',
  mo: 'month',
  a: 'year',
}

/** "2 times a day", "every 8 hours". */
function wordsOfTiming(repeat: unknown): string {
  const frequency = Number(textAt(repeat, 'frequency') || '1')
  const period = Number(textAt(repeat, 'period') || '0')
  const unit = periodWords[textAt(repeat, 'periodUnit')] ?? ''
  const when = listAt(repeat, 'when')
    .filter((each) => typeof each === 'string')
    .join(', ')
  if (unit === '' || period === 0) return when
  if (period === 1) return frequency === 1 ? `once a ${unit}` : `${frequency} times a ${unit}`
  return frequency === 1 ? `every ${period} ${unit}s` : `${frequency} times in ${period} ${unit}s`
}

function textOfDosage(dosage: unknown): string {
  return [textAt(dosage, 'text'), textAt(dosage, 'patientInstruction')].filter(Boolean).join('. ')
}
