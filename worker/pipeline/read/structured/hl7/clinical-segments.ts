/** Allergies, diagnoses, procedures, vaccinations and medicines of HL7 v2. */
import type { DataRow } from '../data-sheet.ts'
import { absenceOf, detailOf, isoDate, statedDate, statedFact } from '../stated-fact.ts'
import { part, wordsOfField, type Segment } from './message.ts'
import { codedElement } from './observation.ts'

const coded = (segment: Segment, place: number) => codedElement(segment, segment.repeats(place)[0] ?? '')

/** AL1 of old messages, IAM of new ones. */
export function readAllergySegment(segment: Segment): DataRow {
  const { name, codes } = coded(segment, 3)
  const isUpdate = segment.name === 'IAM'
  const isDeleted = isUpdate && part(segment, 6) === 'D'
  const status = isUpdate ? part(segment, 17) : ''
  const absence = absenceOf(codes, name)
  const isWrong = isDeleted || status === 'E' || absence === 'unknown'
  const fact = statedFact('allergy', name, {
    status: absence === 'none' ? 'negated' : status === 'P' || status === 'S' ? 'uncertain' : 'present',
    date: statedDate(part(segment, isUpdate ? 11 : 6), 'onset'),
    detail: detailOf({
      codes,
      reaction: wordsOfField(segment, 5),
      severity: severities[part(segment, 4)] ?? part(segment, 4, 2),
    }),
  })
  return { fact, isEntry: name !== '' && !isWrong, statusWords: isDeleted ? 'deleted' : '', note: '' }
}

const severities: Readonly<Record<string, string>> = { MI: 'mild', MO: 'moderate', SV: 'severe' }

export function readDiagnosis(segment: Segment): DataRow {
  const { name, codes } = coded(segment, 3)
  const words = part(segment, 4) || name
  const kind = part(segment, 6)
  const absence = absenceOf(codes, words)
  const isWrong = part(segment, 21) === 'D' || absence === 'unknown'
  const fact = statedFact('condition', words, {
    // An admission's and a working diagnosis are what was thought.
    status: absence === 'none' ? 'negated' : kind === 'W' || kind === 'A' ? 'uncertain' : 'present',
    date: statedDate(part(segment, 5), 'onset'),
    detail: detailOf({ codes }),
  })
  return { fact, isEntry: words !== '' && !isWrong, statusWords: diagnosisKinds[kind] ?? '', note: '' }
}

const diagnosisKinds: Readonly<Record<string, string>> = { A: 'admission', W: 'working', F: 'final' }

/** Problem lists of their own (PPR, PGL). */
export function readProblemSegment(segment: Segment): DataRow {
  const { name, codes } = coded(segment, 3)
  const absence = absenceOf(codes, name)
  const words = part(segment, 13, 2) || part(segment, 13)
  const isGone = part(segment, 1) === 'DE' || /error/i.test(words)
  const isOver = part(segment, 9) !== '' || /resolved|inactive/i.test(part(segment, 14, 2) || part(segment, 14))
  const fact = statedFact('condition', name, {
    status: absence === 'none' ? 'negated' : isOver ? 'historical' : 'present',
    date: statedDate(part(segment, 16) || part(segment, 7), 'onset'),
    detail: detailOf({ codes, endDate: isoDate(part(segment, 9)) }),
  })
  const isEntry = name !== '' && !isGone && absence !== 'unknown'
  return { fact, isEntry, statusWords: part(segment, 1) === 'DE' ? 'deleted' : words, note: '' }
}

export function readProcedureSegment(segment: Segment): DataRow {
  const { name, codes } = coded(segment, 3)
  const words = part(segment, 4) || name
  const fact = statedFact('procedure', words, {
    date: statedDate(part(segment, 5), 'performed'),
    detail: detailOf({ codes, clinicalStatus: 'completed' }),
  })
  return { fact, isEntry: words !== '' && part(segment, 20) !== 'D', statusWords: '', note: '' }
}

/** 998: nothing was given. RE: refused, NA: not given. */
export function readVaccination(segment: Segment, route: Segment | null): DataRow {
  const { name, codes } = coded(segment, 5)
  const completion = part(segment, 20)
  const isNothing = codes.some(({ system, code }) => system === 'CVX' && (code === '998' || code === '999'))
  const isDenied = completion === 'RE' || completion === 'NA'
  const isWrong = part(segment, 21) === 'D' || isNothing
  const [volume, unit] = [part(segment, 6), part(segment, 7)]
  const fact = statedFact('immunization', name, {
    status: isDenied ? 'negated' : 'present',
    date: statedDate(part(segment, 3), 'given'),
    detail: detailOf({
      codes,
      batch: part(segment, 15),
      manufacturer: part(segment, 17, 2) || part(segment, 17),
      site: route === null ? '' : part(route, 2, 2) || part(route, 2),
      route: route === null ? '' : part(route, 1, 2) || part(route, 1),
      dose: volume === '' || volume === '999' ? '' : `${volume} ${unit}`.trim(),
      provider: [part(segment, 10, 3), part(segment, 10, 2)].filter(Boolean).join(' '),
    }),
  })
  const words = isDenied ? 'not given' : part(segment, 21) === 'D' ? 'deleted' : ''
  return { fact, isEntry: name !== '' && !isWrong, statusWords: words, note: part(segment, 9, 2) }
}

/** RXE (encoded order), RXO (order), RXD (dispense), RXA outside of vaccinations (given). */
export function readMedicineSegment(segment: Segment): DataRow {
  const place = medicinePlaces[segment.name] ?? { code: 2, amount: 3, unit: 5 }
  const { name, codes } = coded(segment, place.code)
  const [amount, unit] = [part(segment, place.amount), part(segment, place.unit, 2) || part(segment, place.unit)]
  const isOrder = segment.name === 'RXO' || segment.name === 'RXE'
  const fact = statedFact('medication', name, {
    status: isOrder ? 'present' : 'historical',
    date: isOrder ? null : statedDate(part(segment, 3), 'started'),
    detail: detailOf({ codes, dose: `${amount} ${unit}`.trim(), clinicalStatus: isOrder ? 'active' : 'completed' }),
  })
  return { fact, isEntry: name !== '', statusWords: isOrder ? 'ordered' : 'given', note: '' }
}

const medicinePlaces: Readonly<Record<string, { code: number; amount: number; unit: number }>> = {
  RXO: { code: 1, amount: 2, unit: 4 },
  RXE: { code: 2, amount: 3, unit: 5 },
  RXD: { code: 2, amount: 4, unit: 5 },
  RXA: { code: 5, amount: 6, unit: 7 },
}

const visitKinds: Readonly<Record<string, string>> = {
  I: 'inpatient stay',
  E: 'emergency visit',
  P: 'preadmission',
  R: 'recurring visit',
}

/** A visit is one only where the message says when it began. */
export function readVisit(segment: Segment): DataRow | null {
  const start = isoDate(part(segment, 44))
  const kind = visitKinds[part(segment, 2)] ?? 'outpatient visit'
  if (start === null) return null
  const doctor = [part(segment, 7, 3), part(segment, 7, 2)].filter(Boolean).join(' ')
  const fact = statedFact('encounter', kind, {
    status: part(segment, 2) === 'P' ? 'hypothetical' : 'present',
    date: statedDate(start, 'visit'),
    detail: detailOf({
      encounterType: kind,
      endDate: isoDate(part(segment, 45)),
      provider: doctor,
      facility: part(segment, 3, 4) || part(segment, 3),
    }),
  })
  return { fact, isEntry: true, statusWords: '', note: '' }
}
