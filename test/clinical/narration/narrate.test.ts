import { test } from 'tap'
import { narrateFile, narrateRecord } from '../../../clinical/narration/narrate.ts'
import { factStatuses } from '../../../db/schema/facts.ts'
import { eventTypes } from '../../../db/schema/clinical.ts'
import { recorded } from '../../support/recorded-events.ts'

const potassium = recorded({
  id: 'k2',
  eventType: 'lab_result',
  name: 'Potassium',
  codeSystem: 'LOINC',
  code: '2823-3',
  valueText: '5.9',
  unit: 'mmol/L',
  referenceRange: '3.5 - 5.2',
  flag: 'H',
  eventDate: '2021-02-03',
})
const diabetes = recorded({ id: 'd', eventType: 'condition', name: 'T2DM', codeSystem: 'SNOMED', code: '44054006' })
const a1c = (id: string, valueText: string, eventDate: string | null) =>
  recorded({
    id,
    eventType: 'lab_result',
    name: 'HbA1c',
    codeSystem: 'LOINC',
    code: '4548-4',
    valueText,
    unit: '%',
    eventDate,
  })

test('every sentence stands on events, whatever they are', (t) => {
  const events = eventTypes.flatMap((eventType) =>
    factStatuses.map((assertion) =>
      recorded({ id: `${eventType}-${assertion}`, eventType, assertion, name: `Thing ${eventType} ${assertion}` }),
    ),
  )
  const ids = new Set(events.map((each) => each.id))
  for (const stories of [narrateFile(events, []), narrateRecord(events)]) {
    for (const { sentence, citedEventIds } of stories.flatMap((story) => story.sentences)) {
      t.ok(citedEventIds.length > 0 && citedEventIds.every((id) => ids.has(id)), sentence)
      const isDenied = citedEventIds.some((id) => id.endsWith('-negated'))
      t.equal(/not |denied|the document says/i.test(sentence) && isDenied, isDenied, sentence)
    }
  }
  t.same(narrateFile([], []), [], 'nothing known, nothing told')
  t.same(narrateRecord([]), [])
  t.end()
})

test('a result is told with what is printed beside it, and with the one before in a sentence of its own', (t) => {
  const before = { ...potassium, id: 'k1', valueText: '4.8', flag: null, eventDate: '2020-11' }
  const other = { ...potassium, id: 'k0', unit: 'mg/dL', eventDate: '2020-12' }
  const notSurelyBefore = { ...potassium, id: 'k3', eventDate: '2021-02' }
  const [story] = narrateFile([potassium], [before, other, potassium, notSurelyBefore])
  t.same(story, {
    title: 'Results',
    sentences: [
      {
        sentence:
          'Potassium was 5.9 mmol/L on 3 February 2021; the printed range is 3.5 - 5.2, printed with the mark H.',
        citedEventIds: ['k2'],
      },
      {
        sentence: 'Before that, potassium was 4.8 mmol/L in November 2020; the printed range is 3.5 - 5.2.',
        citedEventIds: ['k1'],
      },
    ],
  })
  t.end()
})

test('a medicine is linked to a problem only by what is printed as its indication', (t) => {
  const medicine = (id: string, indication: string | null) =>
    recorded({ id, eventType: 'medication', name: `Medicine ${id}`, indication })
  const of = (problem: string, events: ReturnType<typeof medicine>[]) => {
    const stories = narrateFile([recorded({ id: 'p', eventType: 'condition', name: problem }), ...events], [])
    return stories.find((story) => story.title === problem)?.sentences.map((each) => each.citedEventIds.join()) ?? []
  }
  t.same(of('Type 2 diabetes', [medicine('m', 'for type 2 diabetes'), medicine('x', null)]), ['p', 'm'])
  t.same(of('Hypertension', [medicine('m', 'high blood pressure'), medicine('x', 'pulmonary hypertension')]), [
    'p',
    'm',
  ])
  t.same(of('Crumbly knees', [medicine('m', 'crumbly knees'), medicine('x', 'knees, not crumbly')]), ['p', 'm'])
  const [story] = narrateFile([diabetes, medicine('m', 'T2DM')], [])
  t.match(story?.sentences[1], { sentence: /What it is for, as printed: T2DM\.$/ }, 'in the words of the document')
  t.end()
})

test('results and procedures stand under a problem where the table says that they belong to it', (t) => {
  const events = [
    diabetes,
    recorded({ id: 'no', eventType: 'condition', name: 'Gout', assertion: 'negated', code: null }),
    a1c('h1', '7.9', '2019-05'),
    a1c('h2', '7.1', '2021-02-03'),
    a1c('h0', '8.0', null),
    potassium,
    recorded({
      id: 'bp',
      eventType: 'vital_sign',
      name: 'BP',
      codeSystem: 'LOINC',
      code: '85354-9',
      valueText: '141/82',
      unit: 'mmHg',
    }),
    recorded({ id: 'ht', eventType: 'condition', name: 'High blood pressure' }),
  ]
  const stories = narrateRecord(events)
  t.same(
    stories.map((story) => [story.title, story.sentences.map((sentence) => sentence.citedEventIds.join())]),
    [
      ['T2DM', ['d', 'h1,h2,h0']],
      ['High blood pressure', ['ht', 'bp']],
      ['Results', ['k2']],
      ['Said not to be there', ['no']],
    ],
  )
  t.equal(
    stories[0]?.sentences[1]?.sentence,
    'HbA1c: 7.9 % in May 2019; 7.1 % on 3 February 2021; 8.0 %, no date.',
    'no word of better or worse',
  )
  t.end()
})

test('what is planned, denied or in doubt is no part of a problem', (t) => {
  const problem = recorded({ id: 'p', eventType: 'condition', name: 'Cataract' })
  const surgery = (id: string, assertion: (typeof factStatuses)[number]) =>
    recorded({ id, eventType: 'procedure', name: `Surgery ${id}`, codeSystem: 'SNOMED', code: '54885007', assertion })
  const [story] = narrateRecord([
    problem,
    surgery('done', 'present'),
    surgery('before', 'historical'),
    surgery('planned', 'hypothetical'),
    surgery('not', 'negated'),
    surgery('maybe', 'uncertain'),
  ])
  t.same(
    story?.sentences.map((each) => each.citedEventIds.join()),
    ['p', 'done', 'before'],
  )
  t.end()
})

test('a problem that several files name is one story, and equal words are said once on all of their events', (t) => {
  const again = { ...diabetes, id: 'd2', name: 'Type 2 diabetes mellitus' }
  const same = { ...diabetes, id: 'd3' }
  const [story, ...others] = narrateRecord([diabetes, again, same])
  t.same(others, [])
  t.same(
    story?.sentences.map((each) => [each.sentence, each.citedEventIds.join()]),
    [
      ['T2DM is recorded.', 'd,d3'],
      ['Type 2 diabetes mellitus is recorded.', 'd2'],
    ],
  )
  t.end()
})

test('a long series is told whole, in several sentences', (t) => {
  const series = Array.from({ length: 30 }, (_, at) =>
    a1c(`h${at}`, `${at}.5`, `20${10 + Math.floor(at / 3)}-0${1 + (at % 3)}`),
  )
  const [, ...told] = narrateRecord([diabetes, ...series])[0]?.sentences ?? []
  t.equal(told.length, 3)
  t.same(
    told.flatMap((each) => each.citedEventIds),
    series.map((each) => each.id),
  )
  t.end()
})

test('a result whose value could not be read is told as that', (t) => {
  const [story] = narrateFile([{ ...potassium, valueText: null }], [])
  t.equal(story?.sentences[0]?.sentence, 'Potassium is listed on 3 February 2021, but its value could not be read.')
  t.end()
})
