import { test } from 'tap'
import type { Test } from 'tap'
import type { Fact, Identity, Person } from '../support/person.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'
import { misplacedIn, misplacedSources, readPlaces } from './placed.ts'

/** What a document must give, at least: found exactly once with this status, code and value; undefined = whatever. */
type Expected = Partial<Record<'type' | 'text' | 'status' | 'value' | 'unit', string>> & {
  readonly code?: string | null
}

const labReport: readonly Expected[] = [
  { type: 'lab_result', text: 'HbA1c', value: '7.6', unit: '%', code: '4548-4', status: 'present' },
  { type: 'lab_result', text: 'Potassium', value: '4.6', unit: 'mmol/L', code: '2823-3', status: 'present' },
  { type: 'lab_result', text: 'HDL cholesterol', value: '3.1', unit: 'mmol/L', code: '14646-4', status: 'present' },
  { type: 'lab_result', text: 'Creatinine', value: '85', unit: 'umol/L', code: '14682-9', status: 'present' },
]

const scan: readonly Expected[] = [
  { type: 'lab_result', text: 'GLUCOSE', value: '83', unit: 'mg/dL', code: '2345-7', status: 'present' },
  { type: 'lab_result', text: 'SODIUM', value: '143', unit: 'mmol/L', code: '2951-2', status: 'present' },
  { type: 'lab_result', text: 'CALCIUM', value: '9.5', unit: 'mg/dL', code: '17861-6', status: 'present' },
]

const discharge: readonly Expected[] = [
  { type: 'condition', text: 'Hypertension', code: '38341003', status: 'present' },
  { type: 'condition', text: 'Type 2 diabetes mellitus', code: '44054006', status: 'present' },
  { type: 'symptom', text: 'orthopnea', status: 'present' },
  { type: 'symptom', text: 'chest pain', status: 'negated' },
  { type: 'symptom', text: 'fever', status: 'negated' },
  { type: 'symptom', text: 'syncope', status: 'negated' },
  { type: 'condition', text: 'pulmonary embolism', code: '59282003', status: 'negated' },
  { type: 'family_history', text: 'coronary artery disease', status: 'family' },
  { type: 'allergy', text: 'No known drug allergies', status: 'negated' },
  { type: 'medication', text: 'Ibuprofen', code: '5640', status: 'historical' },
  { type: 'medication', text: 'Clopidogrel', value: '75', unit: 'mg', code: '32968', status: 'present' },
  { type: 'medication', text: 'Digoxin', value: '0.125', unit: 'mg', code: '3407', status: 'present' },
  { type: 'vital_sign', text: 'BP', value: '146/82', unit: 'mmHg', status: 'present' },
  { type: 'lab_result', text: 'Hemoglobin', value: '9.2', unit: 'g/dL', code: '718-7', status: 'present' },
]

const documents: readonly { file: string; who: Identity; pages: number; expected: readonly Expected[] }[] = [
  {
    file: 'lab-report-scan.jpg',
    who: { name: 'Margery Gibson', bornOn: '1948-11-08' },
    pages: 1,
    expected: scan,
  },
  {
    file: 'lab-report-au.pdf',
    who: { name: 'Patria Schimmel', bornOn: '1974-05-21' },
    pages: 1,
    expected: labReport,
  },
  {
    file: 'discharge-summary-two-pages.pdf',
    who: { name: 'Parker Casper', bornOn: '1952-07-31' },
    pages: 2,
    expected: discharge,
  },
]

test('a document becomes facts that lead back to its words', async (group) => {
  const { startServer, startWorker, introduce } = await openSystem(group)
  const [server] = await Promise.all([startServer(), startWorker()])
  const given = await Promise.all(
    documents.map(async (document) => {
      const person = await introduce(server, document.who)
      return { ...document, person, id: await person.give(sample(document.file)) }
    }),
  )

  for (const { file, person, id, pages, expected } of given) {
    await group.test(file, async (t) => {
      const told = await person.follow(id)
      t.match(told.at(-1), { stage: 'pass3_narrate', status: 'completed', file_status: 'completed' })
      const document = await person.document(id)
      t.match(document, { status: 'completed', page_count: pages, processing_error: null, identity_review: null })
      t.ok(document.stages.every(({ status }) => status === 'completed'))

      const facts = await person.facts(id)
      t.notOk(facts.some((fact) => fact.held))
      for (const wanted of expected) {
        const found = facts.filter((fact) => fact.type === wanted.type && fact.text === wanted.text)
        t.equal(found.length, 1, `${wanted.text} is there once`)
        t.hasStrict(worded(found[0]), wanted)
      }
      t.same(await misplacedSources(person, id), [])
      await checkPictures(t, person, { id, pages, facts })
    })
  }

  await group.test('a box that lies off its line, and a quote that is not in the text, would be seen', async (t) => {
    const report = given.find(({ file }) => file === 'lab-report-au.pdf')
    if (report === undefined) throw new Error('no report')
    const places = await readPlaces(report.person, report.id)
    t.same(misplacedIn(places), [])
    const sources = places.facts.flatMap((fact) => fact.sources)
    const moved = changeSources(places.facts, (source) => ({
      ...source,
      // Not a whole line: a unit often stands again right below.
      box: source.box.map((side, i) => (i % 2 ? side + 0.012 : side)),
    }))
    t.ok(misplacedIn({ ...places, facts: moved }).length > sources.length * 0.9)
    const shifted = changeSources(places.facts, (source) => ({ ...source, start: source.start + 1 }))
    t.equal(misplacedIn({ ...places, facts: shifted }).length, sources.length)
    const wide = changeSources(places.facts, (source) => ({ ...source, box: [0, 0, 1, 1] }))
    t.equal(misplacedIn({ ...places, facts: wide }).length, sources.length)
  })
})

type Source = Fact['sources'][number]

function changeSources(facts: readonly Fact[], change: (source: Source) => Source): readonly Fact[] {
  return facts.map((fact) => ({ ...fact, sources: fact.sources.map(change) }))
}

function worded(fact: Fact | undefined) {
  if (fact === undefined) return undefined
  const { type, text, status, value, unit, code } = fact
  return { type, text, status, value, unit, code: code?.code ?? null }
}

/** Every page can be looked at, and each page that facts point to exists. */
async function checkPictures(
  t: Test,
  person: Person,
  { id, pages, facts }: { readonly id: string; readonly pages: number; readonly facts: readonly Fact[] },
): Promise<void> {
  for (const { page } of facts.flatMap((fact) => fact.sources)) {
    if (page < 1 || page > pages) t.fail(`a fact points to page ${page} of ${pages}`)
  }
  const last = await person.get(`/documents/${id}/pages/${pages}/image?width=200`)
  t.match([last.status, last.headers.get('content-type')], [200, 'image/png'])
  t.equal((await person.get(`/documents/${id}/pages/${pages + 1}/image`)).status, 404)
}
