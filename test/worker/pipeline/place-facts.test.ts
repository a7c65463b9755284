import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { codeFact } from '../../../clinical/coding/coding.ts'
import type { MappedDocument } from '../../../clinical/document/mapped.ts'
import { planRecordChange } from '../../../clinical/entities/record-change.ts'
import { admitCoded } from '../../../worker/pipeline/pass2-code.ts'
import { placeFacts, type PlacedFact } from '../../../worker/pipeline/place-facts.ts'
import { mapPages } from '../../../worker/pipeline/map/map-pages.ts'
import { printDocument } from '../../clinical/extraction/print-document.ts'
import { pageFromText } from './page-from-text.ts'

const context = {
  birthDate: '2000-01-01',
  today: '2026-01-01',
  identity: 'name',
  file: { contacts: [], lastDay: null },
} as const

const dosesIn = (document: MappedDocument) =>
  placeFacts(
    document,
    findFacts(document).facts.filter((fact) => fact.type === 'immunization'),
  ).placed

function admittedDays(placed: readonly PlacedFact[]) {
  const facts = placed.map(({ fact, findingKey }) => ({ ...fact, id: findingKey, wordConfidence01: 1 }))
  const file = { shellFileId: 'file-1', patientId: 'patient-1' }
  const coded = admitCoded(
    facts,
    facts.map((each) => codeFact(each)),
    context,
  )
  const change = planRecordChange(file, coded)
  return change.facts.flatMap(({ entry }) => (entry?.kind === 'event' ? [entry.hub.eventDate] : []))
}

const card = printDocument(
  'Immunisation record\nVaccine\tDose 1\tDose 2\tDose 3\nHepatitis B\t13/01/2001\t14/03/2001\t20/09/2001',
)

test('a vaccine with three dates in its row is three doses of the record', (t) => {
  const placed = dosesIn(card)
  t.equal(new Set(placed.map(({ findingKey }) => findingKey)).size, 3)
  t.same(
    placed.map(({ sources }) => sources.map(({ role, quote }) => `${role} ${quote}`)),
    [
      ['name Hepatitis B', 'date 13/01/2001'],
      ['name Hepatitis B', 'date 14/03/2001'],
      ['name Hepatitis B', 'date 20/09/2001'],
    ],
  )
  t.same(admittedDays(placed), ['2001-01-13', '2001-03-14', '2001-09-20'])
  t.end()
})

test('doses whose dates go on in the next line are doses too', (t) => {
  const list = printDocument([
    { text: 'Immunisations', kind: 'heading' },
    { text: '- Hepatitis B 13/01/2001, 14/03/2001,', kind: 'list_item' },
    { text: 'and last on 20/09/2001', kind: 'text' },
  ])
  t.same(admittedDays(dosesIn(list)), ['2001-01-13', '2001-03-14', '2001-09-20'])
  t.end()
})

const boxOf = (document: MappedDocument, name: string) => {
  const { facts } = findFacts(document)
  const placed = placeFacts(document, facts).placed.find(({ fact }) => fact.text === name)
  const [source] = placed?.sources ?? []
  return source === undefined ? null : [source.x0, source.y0, source.x1, source.y1]
}
const allergies = (second: string) => `**Allergies**\n- nuts\n- ${second}\n- penicillin: rash\n`

test('the mark over a word has the height of its type, whatever letters the word is made of', (t) => {
  // The same type: the ink of "nuts" ends at the height of its "t", and hangs nowhere below the line.
  const page = pageFromText(allergies('eggs'))
  const inked = page.words.map((word) => {
    const [x0, y0, x1, y1] = word.box
    const height = (y1 - y0) / 1.34
    const top = /[bdfhkl]/.test(word.text) ? y0 : word.text === 'nuts' ? y0 + 0.15 * height : y0 + 0.31 * height
    return { ...word, box: [x0, top, x1, /[gpy]/.test(word.text) ? y1 : y1 - 0.29 * height] as const }
  })
  const document = mapPages([{ ...page, words: inked }])
  const [nuts, penicillin] = [boxOf(document, 'nuts'), boxOf(document, 'penicillin')]
  const heightOf = (box: readonly number[] | null) => (box?.[3] ?? 0) - (box?.[1] ?? 0)
  t.ok(Math.abs(heightOf(nuts) / heightOf(penicillin) - 1) < 0.05, `${heightOf(nuts)} and ${heightOf(penicillin)}`)
  t.end()
})

test('a word whose box has caught ink of the line above is marked in the height of its line', (t) => {
  const page = pageFromText('**Medications**\nRamipril 5 mg daily in the morning\nMetformin 500 mg twice daily\n')
  const clean = boxOf(mapPages([page]), 'Ramipril')
  const words = page.words.map((word) => {
    const [x0, y0, x1, y1] = word.box
    return word.text === 'Ramipril' ? { ...word, box: [x0, y0 - (y1 - y0), x1, y1] as const } : word
  })
  const marked = boxOf(mapPages([{ ...page, words }]), 'Ramipril')
  const higher = ((clean?.[1] ?? 0) - (marked?.[1] ?? 1)) / ((clean?.[3] ?? 0) - (clean?.[1] ?? 0))
  t.ok(Math.abs(higher) < 0.35, `it is ${higher.toFixed(2)} of its height higher`)
  t.end()
})
