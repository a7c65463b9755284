import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { MappedDocument } from '../../../clinical/document/mapped.ts'
import { planRecordChange } from '../../../clinical/entities/record-change.ts'
import { codeFacts } from '../../../worker/pipeline/pass2-code.ts'
import { placeFacts, type PlacedFact } from '../../../worker/pipeline/place-facts.ts'
import { printDocument } from '../../clinical/extraction/print-document.ts'

const context = { birthDate: '2000-01-01', today: '2026-01-01', identity: 'name' } as const

const dosesIn = (document: MappedDocument) =>
  placeFacts(
    document,
    findFacts(document).facts.filter((fact) => fact.type === 'immunization'),
  ).placed

function admittedDays(placed: readonly PlacedFact[]) {
  const facts = placed.map(({ fact, findingKey }) => ({ ...fact, id: findingKey, wordConfidence01: 1 }))
  const file = { shellFileId: 'file-1', patientId: 'patient-1' }
  const change = planRecordChange(file, codeFacts(facts, context), { events: [], newId: () => 'new-id' })
  return change.events.map(({ hub }) => hub.eventDate)
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
