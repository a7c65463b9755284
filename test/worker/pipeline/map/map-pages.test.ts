import { test } from 'tap'
import { boxesOf, spanInBox } from '../../../../clinical/document/boxes.ts'
import type { MappedDocument } from '../../../../clinical/document/mapped.ts'
import { mapPages, mapPagesAside } from '../../../../worker/pipeline/map/map-pages.ts'
import { pageFromText } from '../page-from-text.ts'

const report = `
**HARBOUR** **PATHOLOGY**
Patient: Nora Quill            Collected: 14/03/2022
DOB: 02/11/1950                Reported: 15/03/2022

**Test**                 **Result**       **Units**         **Reference**
**LIPIDS**
Cholesterol          6.1 H        mmol/L        < 5.5
Triglycerides        1.2          mmol/L        < 2.0
HDL cholesterol      1.4          mmol/L        > 1.0

**Allergies:**
- penicillin: rash
- nuts
**Family history**
Mother had a stroke at 70.
`

function printed(document: MappedDocument, part: { start: number; length: number }): string {
  return document.text.slice(part.start, part.start + part.length)
}

const rowsOf = (document: MappedDocument): string[][] =>
  document.lines
    .filter(({ kind }) => kind === 'table_row')
    .map(({ cells }) => cells.map((cell) => printed(document, cell)))

void test('rows of a results table keep their cells together, in columns that the header names', async (t) => {
  const document = mapPages([pageFromText(report)])
  t.same(rowsOf(document), [
    ['Cholesterol', '6.1 H', 'mmol/L', '< 5.5'],
    ['Triglycerides', '1.2', 'mmol/L', '< 2.0'],
    ['HDL cholesterol', '1.4', 'mmol/L', '> 1.0'],
  ])
  const header = document.lines.find(({ kind }) => kind === 'table_header')
  t.same(
    header?.cells.map((cell) => [printed(document, cell), cell.column]),
    [
      ['Test', 0],
      ['Result', 1],
      ['Units', 2],
      ['Reference', 3],
    ],
  )
})

void test('two blocks side by side in a letterhead are read one after the other', async (t) => {
  const document = mapPages([pageFromText(report)])
  t.match(document.text, /Patient: Nora Quill\nDOB: 02\/11\/1950\nCollected: 14\/03\/2022\nReported: 15\/03\/2022/)
})

void test('two columns of prose are read column by column', async (t) => {
  const document = mapPages([
    pageFromText(`
The patient came with a cough that        His mother was well until the age
had lasted for three weeks and was        of eighty and his father died young
worse at night when he was lying          of an accident at work on the farm
down flat. He had no fever at all         where he was born. There is nobody
and he had never been a smoker so         else in the family with a disease
`),
  ])
  t.match(document.text, /worse at night when he was lying\ndown flat/)
  t.notMatch(document.text, /that\t? ?His mother/)
})

void test('known headings open sections that last until the next heading, also over pages', async (t) => {
  const document = mapPages([
    pageFromText('**Current medications**\nmetformin 500 mg twice daily'),
    pageFromText('ramipril 5 mg daily\n**Plan**\nreview in a month', { number: 2 }),
  ])
  const slugs = document.lines.map((line) => [printed(document, line), document.sections[line.section]?.slug])
  t.same(slugs, [
    ['Current medications', 'medications'],
    ['metformin 500 mg twice daily', 'medications'],
    ['ramipril 5 mg daily', 'medications'],
    ['Plan', 'plan'],
    ['review in a month', 'plan'],
  ])
})

void test('a label with its value heads its own lines only', async (t) => {
  const document = mapPages([
    pageFromText('**Visit** **note**\nFamily history: father had gout\nBlood pressure: 130/80\n'),
  ])
  const line = document.lines.find((candidate) => printed(document, candidate).startsWith('Blood'))
  t.not(document.sections[line?.section ?? 0]?.slug, 'family-history')
})

void test('what pages repeat at their edges is furniture from its second time on', async (t) => {
  const pages = [1, 2, 3].map((number) =>
    pageFromText(
      `Harbour Clinic, 3 Quay Street\n\n\n\n\n\n\n\n\n\n\n\nseen on day ${number * 7} for the wound\n${'\n'.repeat(48)}Page ${number} of 3`,
      {
        number,
      },
    ),
  )
  const document = mapPages(pages)
  const furniture = document.lines.filter(({ kind }) => kind === 'furniture').map((line) => printed(document, line))
  t.same(furniture, [
    'Page 1 of 3',
    'Harbour Clinic, 3 Quay Street',
    'Page 2 of 3',
    'Harbour Clinic, 3 Quay Street',
    'Page 3 of 3',
  ])
})

void test('every word stands in the text at its offset, and offsets lead to boxes and back', async (t) => {
  const page = pageFromText(report)
  const document = mapPages([page, { ...page, number: 2 }])
  const byBox = new Map(page.words.map((word) => [word.box.join(), word.text]))
  t.equal(document.words.length, page.words.length * 2)
  for (const word of document.words) t.equal(printed(document, word), byBox.get(word.box.join()))

  for (const line of document.lines) {
    const [place, ...more] = boxesOf(document, line)
    t.same([place?.page, more.length], [line.page, 0])
    t.same(place?.box, line.box)
    t.ok(place !== undefined && spanInBox(document, place) !== null)
  }
})

void test('a span over two lines has a box on each', async (t) => {
  const document = mapPages([pageFromText('one two three\nfour five six')])
  const start = document.text.indexOf('three')
  const places = boxesOf(document, { start, length: 'three four'.length })
  t.equal(places.length, 2)
  t.ok((places[0]?.box[0] ?? 0) > (places[1]?.box[0] ?? 1))
})

void test('the lines of a skewed scan are still lines', async (t) => {
  const page = pageFromText(report)
  const slope = Math.tan((2.5 * Math.PI) / 180) * (page.widthPt / page.heightPt)
  const words = page.words.map((word) => {
    const [x0, y0, x1, y1] = word.box
    const drop = slope * ((x0 + x1) / 2 - 0.5)
    return { ...word, box: [x0, y0 + drop, x1, y1 + drop] as const }
  })
  const document = mapPages([{ ...page, source: 'ocr', words }])
  t.same(rowsOf(document), rowsOf(mapPages([page])))
})

void test('dates that can be read one way only settle the locale, decimals in ranges do not', async (t) => {
  t.equal(mapPages([pageFromText('DOB: 05/23/1966  Haematocrit 36.0-46.0 %')]).locale, 'en-US')
  t.equal(mapPages([pageFromText('DOB: 23/05/1966')]).locale, 'en-AU')
})

void test('the class of a document comes from its title and what stands in it', async (t) => {
  t.equal(mapPages([pageFromText(report)]).documentClass, 'lab_report')
  const letter = 'Dear Dr Osei,\nThank you for seeing Nora Quill, 71, about her knee.\nKind regards'
  t.equal(mapPages([pageFromText(letter)]).documentClass, 'referral_letter')
  t.equal(mapPages([pageFromText('hello there')]).documentClass, 'unknown')
})

void test('a page without words maps to nothing, not to an error', async (t) => {
  const document = mapPages([pageFromText(''), pageFromText('a word', { number: 2 })])
  t.equal(document.text, '\fa word')
  t.same(mapPages([]).lines, [])
})

void test('a long document is mapped in turns, so that other work goes on, and can be stopped', async (t) => {
  const page = pageFromText(report.repeat(4))
  const pages = Array.from({ length: 60 }, (_, index) => ({ ...page, number: index + 1 }))
  let turns = 0
  const count = () => {
    turns += 1
    other = setImmediate(count)
  }
  let other = setImmediate(count)
  t.strictSame(await mapPagesAside(pages, new AbortController().signal), mapPages(pages))
  clearImmediate(other)
  t.ok(turns > 2, `other work had ${turns} turns`)

  const stopped = new AbortController()
  const mapping = mapPagesAside(pages, stopped.signal)
  stopped.abort(new Error('stopped'))
  await t.rejects(mapping, { message: 'stopped' })
})
