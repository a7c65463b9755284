import { test } from 'tap'
import type { RecordRow } from '../../../db/queries/narratives.ts'
import { factStatuses } from '../../../db/schema/facts.ts'
import { eventTypes } from '../../../db/schema/clinical.ts'
import { narrate } from '../../../worker/pipeline/pass3-narrate.ts'

const event = (changes: Partial<RecordRow> & Pick<RecordRow, 'id' | 'eventType' | 'name'>): RecordRow => ({
  assertion: 'present',
  codeSystem: null,
  code: null,
  eventDate: null,
  dateMeaning: null,
  valueText: null,
  unit: null,
  referenceRange: null,
  flag: null,
  frequency: null,
  clinicalStatus: null,
  indication: null,
  reaction: null,
  relationship: null,
  ...changes,
})

const potassium = event({
  id: 'k2',
  eventType: 'lab_result',
  name: 'Potassium',
  code: '2823-3',
  valueText: '5.9',
  unit: 'mmol/L',
  referenceRange: '3.5 - 5.2',
  flag: 'H',
  eventDate: '2021-02-03',
})

test('every sentence stands on events, whatever they are', (t) => {
  const events = eventTypes.flatMap((eventType) =>
    factStatuses.map((assertion) => event({ id: `${eventType}-${assertion}`, eventType, assertion, name: 'Thing' })),
  )
  const stories = narrate(events, [])
  const ids = new Set(events.map((each) => each.id))
  for (const { sentence, citedEventIds } of stories.flatMap((story) => story.sentences)) {
    t.ok(citedEventIds.length > 0 && citedEventIds.every((id) => ids.has(id)), sentence)
    const isDenied = citedEventIds.some((id) => id.endsWith('-negated'))
    t.equal(/not|denied|the document says/i.test(sentence) && isDenied, isDenied, `${citedEventIds.join()} ${sentence}`)
  }
  t.same(narrate([], []), [], 'nothing known, nothing told')
  t.end()
})

test('a result is told with what is printed beside it, and with the one before', (t) => {
  const before = { ...potassium, id: 'k1', valueText: '4.8', flag: null, eventDate: '2020-11' }
  const other = { ...potassium, id: 'k0', unit: 'mg/dL', eventDate: '2020-12' }
  const [story] = narrate([potassium], [before, other, potassium])
  t.same(story, {
    title: 'Results',
    sentences: [
      {
        sentence:
          'Potassium was 5.9 mmol/L on 3 February 2021; the printed range is 3.5 - 5.2, printed with the mark H. Before that, potassium was 4.8 mmol/L in November 2020; the printed range is 3.5 - 5.2.',
        citedEventIds: ['k2', 'k1'],
      },
    ],
  })
  t.end()
})

test("a medicine is linked to a problem only by the document's own words", (t) => {
  const problem = event({ id: 'p', eventType: 'condition', name: 'Type 2 diabetes' })
  const medicine = event({ id: 'm', eventType: 'medication', name: 'Metformin', indication: 'for type 2 diabetes' })
  const unlinked = event({ id: 'x', eventType: 'medication', name: 'Ramipril' })
  const stories = narrate([problem, medicine, unlinked], [])
  t.same(
    stories.map((story) => [story.title, story.sentences.map((sentence) => sentence.citedEventIds.join())]),
    [
      ['Type 2 diabetes', ['p', 'm,p']],
      ['Medicines', ['x']],
    ],
  )
  t.end()
})

test('a result whose value could not be read is told as that', (t) => {
  const [story] = narrate([{ ...potassium, valueText: null }], [])
  t.equal(story?.sentences[0]?.sentence, 'Potassium is listed on 3 February 2021, but its value could not be read.')
  t.end()
})
