import { test } from 'tap'
import type { KnownEvent, RecordChange } from '../../../db/queries/clinical.ts'
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

const onset = (iso: string) => ({ date: { iso, printed: iso, meaning: 'onset', certainty: 'printed' } }) as const
const collected = (iso: string) =>
  ({ date: { iso, printed: iso, meaning: 'collected', certainty: 'printed' } }) as const

function plan(facts: readonly FactToCode[], events: readonly KnownEvent[] = [], of = file): RecordChange {
  const coded = admitCoded(
    facts,
    facts.map((each) => codeFact(each)),
    context,
  )
  return planRecordChange(of, coded, { events, newId: () => 'new-id' })
}

const decisions = (change: RecordChange) => change.decisions.map((each) => each.decision)
const knownFrom = (change: RecordChange): KnownEvent[] =>
  change.events.map(({ hub }) => ({ id: hub.id, eventType: hub.eventType, mergeKey: hub.mergeKey ?? '' }))

test('no mention that is not of now and of this patient becomes something that the patient has', (t) => {
  for (const type of factTypes) {
    for (const status of factStatuses) {
      const change = plan([fact(type, 'Asthma', { status, value: '5' })])
      for (const { hub } of change.events) {
        const isRelative = type === 'family_history' || status === 'family'
        t.equal(hub.assertion, isRelative ? 'family' : status, `${type} ${status}`)
        t.equal(hub.assertion === 'family', hub.eventType === 'family_history', `${type} ${status}`)
      }
      for (const encounter of change.encounters) t.equal(encounter.assertion, status)
    }
  }
  t.end()
})

test("a relative's disease is family history; a relative's medicine is only noted", (t) => {
  t.match(plan([fact('condition', 'Bowel cancer', { status: 'family', detail: { relationship: 'mother' } })]).events, [
    { hub: { eventType: 'family_history', assertion: 'family' }, spoke: { row: { relationship: 'mother' } } },
  ])
  for (const type of ['medication', 'allergy', 'immunization', 'procedure', 'lab_result', 'social_history'] as const) {
    const change = plan([fact(type, 'metformin', { status: 'family' })])
    t.match(change.decisions, [{ decision: 'noted', decisionReason: /about a relative/, eventId: null }], type)
    t.same([change.events, change.encounters], [[], []], type)
  }
  t.same(decisions(plan([fact('family_history', 'Bowel cancer', { status: 'negated' })])), ['noted'])
  t.end()
})

test('who the document is about is noted, and so is a test without a result, which says why', (t) => {
  t.same(decisions(plan([fact('identity', 'Jane Citizen', { detail: { identityKind: 'name' } })])), ['noted'])
  const change = plan([fact('lab_result', 'Ferritin')])
  t.match(change.decisions, [{ decision: 'noted', decisionReason: /^No result is printed/, eventId: null }])
  t.same(change.events, [])
  t.end()
})

test('what is said twice in a file is one event, and the fuller mention makes it', (t) => {
  const bare = fact('medication', 'Metformin')
  const full = fact('medication', 'metformin', { value: '500', unit: 'mg', detail: { frequencyCode: '2/d' } })
  const change = plan([bare, full])
  t.equal(change.events.length, 1)
  t.equal(change.events[0]?.hub.id, full.id)
  t.same(decisions(change), ['merged', 'admitted'])
  t.equal(change.decisions[0]?.eventId, full.id)
  t.end()
})

test('what differs stays apart', (t) => {
  const pairs: readonly (readonly [string, FactToCode, FactToCode])[] = [
    [
      'two strengths',
      fact('medication', 'metformin', { value: '500', unit: 'mg' }),
      fact('medication', 'metformin', { value: '1000', unit: 'mg' }),
    ],
    [
      'taken and stopped',
      fact('medication', 'metformin', { detail: { clinicalStatus: 'active' } }),
      fact('medication', 'metformin', { detail: { clinicalStatus: 'stopped' } }),
    ],
    ['present and denied', fact('symptom', 'cough'), fact('symptom', 'cough', { status: 'negated' })],
    [
      'two days',
      fact('vital_sign', 'BP', { value: '132/84', ...collected('2021-02-03') }),
      fact('vital_sign', 'BP', { value: '132/84', ...collected('2021-02-04') }),
    ],
    [
      'two values of a day',
      fact('vital_sign', 'BP', { value: '132/84', ...collected('2021-02-03') }),
      fact('vital_sign', 'BP', { value: '140/90', ...collected('2021-02-03') }),
    ],
    ['two onsets', fact('condition', 'Pneumonia', onset('2015')), fact('condition', 'Pneumonia', onset('2019'))],
    [
      'two sides',
      fact('procedure', 'Knee replacement', { detail: { laterality: 'left' } }),
      fact('procedure', 'Knee replacement', { detail: { laterality: 'right' } }),
    ],
    [
      'two doses',
      fact('immunization', 'Boostrix', collected('2015-01-01')),
      fact('immunization', 'Boostrix', collected('2025-01-01')),
    ],
  ]
  for (const [what, one, other] of pairs) t.equal(plan([one, other]).events.length, 2, what)
  t.end()
})

test('a date that is printed once more exactly is the same date', (t) => {
  t.equal(
    plan([fact('condition', 'Pneumonia', onset('2015')), fact('condition', 'Pneumonia', onset('2015-03'))]).events
      .length,
    1,
  )
  t.equal(plan([fact('condition', 'Pneumonia', onset('2015')), fact('condition', 'Pneumonia')]).events.length, 1)
  t.end()
})

test('another file that says the same adds a source, not an event', (t) => {
  const first = plan([fact('condition', 'Hypertension', { concept: 'conditions:hypertension' })])
  const second = plan([fact('condition', 'HTN', { concept: 'conditions:hypertension' })], knownFrom(first), {
    ...file,
    shellFileId: 'file-2',
  })
  t.equal(second.events.length, 0)
  t.same(decisions(second), ['merged'])
  t.equal(second.decisions[0]?.eventId, first.events[0]?.hub.id)
  t.end()
})

test('undated readings of two files are two, of one file one', (t) => {
  const reading = () => fact('lab_result', 'Potassium', { value: '4.1', unit: 'mmol/L' })
  const first = plan([reading(), reading()])
  t.equal(first.events.length, 1)
  t.equal(plan([reading()], knownFrom(first), { ...file, shellFileId: 'file-2' }).events.length, 1)
  t.end()
})

test('an event whose id has stayed with another file gives way', (t) => {
  const moved = fact('condition', 'Asthma')
  const known = [{ id: moved.id, eventType: 'condition', mergeKey: 'present|something else#' }]
  t.equal(plan([moved], known).events[0]?.hub.id, 'new-id')
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
  const change = plan([stay, inside, outside])
  const encounterOf = (id: string) => change.events.find(({ hub }) => hub.id === id)?.hub.encounterId
  t.equal(encounterOf(inside.id), stay.id)
  t.equal(encounterOf(outside.id), undefined)
  const contactOf = (facts: Parameters<typeof plan>[0], id: string) =>
    plan(facts).events.find(({ hub }) => hub.id === id)?.hub.encounterId
  t.equal(contactOf([stay, visit('2021-05-01'), inside], inside.id), stay.id)
  t.equal(contactOf([stay, visit('2021-02-04'), inside], inside.id), undefined, 'two hold the day')
  const year = fact('procedure', 'Appendicectomy', collected('2021'))
  t.equal(contactOf([stay, visit('2021-05-01'), year], year.id), undefined, 'a year is in neither')
  const undated = fact('condition', 'Gout')
  t.equal(contactOf([stay, undated], undated.id), stay.id)
  t.equal(contactOf([stay, visit('2021-05-01'), undated], undated.id), undefined)
  const told = { ...visit('2018-05-01'), status: 'historical' as const }
  t.equal(contactOf([stay, told, undated], undated.id), stay.id, 'of the contact that the file is of')
  t.end()
})

test('a measurement keeps what was printed beside what it means', (t) => {
  const [event] = plan([
    fact('lab_result', 'Potassium', {
      value: '<3.5',
      unit: 'mmol/L',
      referenceRange: '(3.5 - 5.2)',
      concept: 'observations:potassium',
      detail: { flag: 'L' },
    }),
  ]).events
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
  const [pressure] = plan([
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
  ]).events
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
  const change = plan([fact('lab_result', 'Urea', unread), fact('lab_result', 'Urea')])
  t.match(change.events, [
    {
      hub: { confidence: 'low', confidenceReason: /^The value could not be read\./ },
      spoke: { row: { valueText: null, valueNumeric: null, unit: 'mg/dL', referenceRange: '7-25' } },
    },
  ])
  t.same(decisions(change).length, 2)
  t.equal(change.events.length, 1, 'a test that is only named is no result')

  const other = { ...file, shellFileId: 'file-2' }
  const later = plan([fact('lab_result', 'Urea', unread)], knownFrom(change), other)
  t.equal(later.events.length, 1, 'two numbers that nobody has read are not the same number')
  t.end()
})

test('a result whose number was mended is for a person to compare', (t) => {
  const mended = { concept: 'observations:tsh', value: '1.55', unit: 'mIU/L', strength: 'weak' } as const
  const [event] = plan([fact('lab_result', 'TSH', mended)]).events
  t.match(event?.hub, { confidence: 'check', confidenceReason: 'Please compare the number with the document.' })
  t.end()
})
