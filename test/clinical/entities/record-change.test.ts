import { test } from 'tap'
import type { RecordChange, RecordEntry } from '../../../db/queries/clinical.ts'
import { codeFact } from '../../../clinical/coding/coding.ts'
import { factStatuses, factTypes, type FactType } from '../../../clinical/document/found-fact.ts'
import { planRecordChange } from '../../../clinical/entities/record-change.ts'
import { admitCoded, type FactToCode } from '../../../worker/pipeline/pass2-code.ts'

const file = { shellFileId: 'file-1', patientId: 'patient-1' }
const context = {
  birthDate: '1961-04-09',
  today: '2026-01-01',
  identity: 'name',
  file: { contacts: [], lastDay: null },
} as const

let made = 0
function fact(type: FactType, text: string, changes: Partial<FactToCode> = {}): FactToCode {
  made += 1
  const bare = {
    status: 'present',
    value: null,
    unit: null,
    referenceRange: null,
    date: null,
    detail: {},
    concept: null,
  } as const
  return { id: `fact-${made}`, type, text, strength: 'strong', wordConfidence01: 1, ...bare, ...changes }
}

const collected = (iso: string) =>
  ({ date: { iso, printed: iso, meaning: 'collected', certainty: 'printed' } }) as const

function plan(facts: readonly FactToCode[]): RecordChange {
  const coded = admitCoded(
    facts,
    facts.map((each) => codeFact(each)),
    context,
  )
  return planRecordChange(file, coded)
}

type Entry<Kind> = Extract<RecordEntry, { kind: Kind }>
const entries = (facts: readonly FactToCode[]) =>
  plan(facts).facts.flatMap(({ entry }) => (entry === null ? [] : [entry]))
const events = (facts: readonly FactToCode[]) =>
  entries(facts).filter((entry): entry is Entry<'event'> => entry.kind === 'event')
const contacts = (facts: readonly FactToCode[]) =>
  entries(facts).filter((entry): entry is Entry<'encounter'> => entry.kind === 'encounter')

test('no mention that is not of now and of this patient becomes something that the patient has', (t) => {
  for (const type of factTypes) {
    for (const status of factStatuses) {
      const facts = [fact(type, 'Asthma', { status, value: '5' })]
      for (const { hub } of events(facts)) {
        const isRelative = type === 'family_history' || status === 'family'
        t.equal(hub.assertion, isRelative ? 'family' : status, `${type} ${status}`)
        t.equal(hub.assertion === 'family', hub.eventType === 'family_history', `${type} ${status}`)
      }
      for (const { row } of contacts(facts)) t.equal(row.assertion, status)
    }
  }
  t.end()
})

test("a relative's disease is family history; a relative's medicine is only noted", (t) => {
  t.match(events([fact('condition', 'Bowel cancer', { status: 'family', detail: { relationship: 'mother' } })]), [
    { hub: { eventType: 'family_history', assertion: 'family' }, spoke: { row: { relationship: 'mother' } } },
  ])
  for (const type of ['medication', 'allergy', 'immunization', 'procedure', 'lab_result', 'social_history'] as const) {
    const change = plan([fact(type, 'metformin', { status: 'family' })])
    t.match(change.facts, [{ entry: null, decisionReason: /about a relative/ }], type)
  }
  t.same(entries([fact('family_history', 'Bowel cancer', { status: 'negated' })]), [])
  t.end()
})

test('who the document is about is noted, and so is a test without a result, which says why', (t) => {
  t.match(plan([fact('identity', 'Jane Citizen', { detail: { identityKind: 'name' } })]).facts, [{ entry: null }])
  const change = plan([fact('lab_result', 'Ferritin')])
  t.match(change.facts, [{ entry: null, decisionReason: /^No result is printed/ }])
  t.end()
})

test('what a contact dates belongs to it; where two could, nothing is guessed', (t) => {
  const visit = (from: string, until?: string) =>
    fact('encounter', 'Inpatient admission', {
      date: { iso: from, printed: from, meaning: 'visit', certainty: 'printed' },
      ...(until === undefined ? {} : { detail: { endDate: until } }),
    })
  const inside = fact('procedure', 'Appendicectomy', collected('2021-02-04'))
  const outside = fact('procedure', 'Tonsillectomy', collected('1970'))
  const stay = visit('2021-02-01', '2021-02-07')
  const contactOf = (facts: readonly FactToCode[], id: string) => {
    const entry = plan(facts).facts.find((each) => each.id === id)?.entry
    return entry?.kind === 'event' ? entry.hub.encounterId : undefined
  }
  t.equal(contactOf([stay, inside, outside], inside.id), stay.id)
  t.equal(contactOf([stay, inside, outside], outside.id), null)
  t.equal(contactOf([stay, visit('2021-05-01'), inside], inside.id), stay.id)
  t.equal(contactOf([stay, visit('2021-02-04'), inside], inside.id), null, 'two hold the day')
  const year = fact('procedure', 'Appendicectomy', collected('2021'))
  t.equal(contactOf([stay, visit('2021-05-01'), year], year.id), null, 'a year is in neither')
  const undated = fact('condition', 'Gout')
  t.equal(contactOf([stay, undated], undated.id), stay.id)
  t.equal(contactOf([stay, visit('2021-05-01'), undated], undated.id), null)
  const told = { ...visit('2018-05-01'), status: 'historical' as const }
  t.equal(contactOf([stay, told, undated], undated.id), stay.id, 'of the contact that the file is of')
  t.end()
})

test('a measurement keeps what was printed beside what it means', (t) => {
  const [event] = events([
    fact('lab_result', 'Potassium', {
      value: '<3.5',
      unit: 'mmol/L',
      referenceRange: '(3.5 - 5.2)',
      concept: 'observations:potassium',
      detail: { flag: 'L' },
    }),
  ])
  t.match(event?.spoke, {
    table: 'patient_observations',
    row: {
      valueText: '<3.5',
      comparator: '<',
      valueNumeric: '3.5',
      unit: 'mmol/L',
      unitUcum: 'mmol/L',
      usualValue: '3.5',
      usualUnitUcum: 'mmol/L',
      referenceLow: '3.5',
      referenceHigh: '5.2',
      flag: 'L',
    },
  })
  const [pressure] = events([
    fact('vital_sign', 'BP', {
      value: '132/84',
      unit: 'mmHg',
      concept: 'observations:blood-pressure-panel',
      detail: {
        components: [
          { name: 'systolic', value: '132' },
          { name: 'diastolic', value: '84' },
        ],
      },
    }),
  ])
  t.match(pressure?.spoke, {
    row: { code: '85354-9', valueNumeric: null },
    components: [
      { code: '8480-6', valueNumeric: '132', unitUcum: 'mm[Hg]' },
      { code: '8462-4', valueNumeric: '84' },
    ],
  })
  t.end()
})

test('a result whose value could not be read is in the record without a number, and says so', (t) => {
  const unread = {
    concept: 'observations:urea',
    unit: 'mg/dL',
    referenceRange: '7-25',
    strength: 'weak',
    ...collected('2024-03-07'),
  } as const
  const [coded] = plan([fact('lab_result', 'Urea', unread)]).facts
  t.match(coded, {
    confidence: 'low',
    confidenceReason: /^The value could not be read\./,
    entry: { spoke: { row: { valueText: null, valueNumeric: null, unit: 'mg/dL', referenceRange: '7-25' } } },
  })
  t.same(entries([fact('lab_result', 'Urea')]), [], 'a test that is only named is no result')
  t.end()
})

test('a result whose number was mended is for a person to compare', (t) => {
  const mended = { concept: 'observations:tsh', value: '1.55', unit: 'mIU/L', strength: 'weak' } as const
  const [coded] = plan([fact('lab_result', 'TSH', mended)]).facts
  t.match(coded, { confidence: 'check', confidenceReason: 'Please compare the number with the document.' })
  t.end()
})
