import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import type { MappedDocument } from '../../../../clinical/document/mapped.ts'
import type { Page } from '../../../../clinical/document/page.ts'
import { mapPages } from '../../../../worker/pipeline/map/map-pages.ts'
import { readFile } from '../../../../worker/pipeline/read/read-file.ts'
import type { OcrProvider } from '../../../../worker/providers/ocr/provider.ts'
import { zipOf } from '../../../support/zip.ts'

const noOcr: OcrProvider = {
  name: 'none',
  version: '0',
  recognise: () => Promise.reject(new Error('nothing here is a picture')),
  close: async () => {},
}
const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

async function readBytes(bytes: Uint8Array | string, mimeType: string): Promise<Page[]> {
  const path = join(await mkdtemp(join(tmpdir(), 'exora-test-')), 'file')
  await writeFile(path, bytes)
  const pages: Page[] = []
  for await (const page of readFile({ path, mimeType }, { ocr: noOcr, signal: new AbortController().signal })) {
    pages.push(page)
  }
  return pages
}

async function mapped(bytes: Uint8Array | string, mimeType: string): Promise<MappedDocument> {
  return mapPages(await readBytes(bytes, mimeType))
}

const rowsOf = (document: MappedDocument): string[][] =>
  document.lines
    .filter(({ table }) => table !== null)
    .map(({ cells }) => cells.map((cell) => document.text.slice(cell.start, cell.start + cell.length)))

void test('plain text is read in each of its encodings', async (t) => {
  const line = 'Blood glucose 5.1 µmol/L – über 37 °C'
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(line, 'utf16le')])
  const windows = Buffer.from(line.replace('–', '\x96'), 'latin1')
  for (const bytes of [Buffer.from(line), utf16, windows]) t.equal((await mapped(bytes, 'text/plain')).text, line)
})

void test('words of a text lie on its page, none above another', async (t) => {
  const [page] = await readBytes('one two\nthree', 'text/plain')
  t.equal(page?.source, 'structured')
  const [one, two, three] = page?.words ?? []
  t.ok(one !== undefined && two !== undefined && one.box[2] < two.box[0])
  t.ok(one !== undefined && three !== undefined && one.box[3] < three.box[1])
})

void test('a long text runs over several pages and can be read from the middle', async (t) => {
  const text = Array.from({ length: 120 }, (_, index) => `line ${index}`).join('\n')
  const pages = await readBytes(text, 'text/plain')
  t.equal(pages.length, 3)
  t.ok(pages.every((page, index) => page.number === index + 1 && page.words.every(({ box }) => box[3] <= 1)))
})

void test('separated values become a table', async (t) => {
  const document = await mapped(
    'Date,Test,Result\n2021-02-03,"Cholesterol, total",5.1\n2021-02-03,HDL,\n',
    'text/plain',
  )
  t.same(rowsOf(document), [
    ['Date', 'Test', 'Result'],
    ['2021-02-03', 'Cholesterol, total', '5.1'],
    ['2021-02-03', 'HDL'],
  ])
})

void test('columns that a text makes with spaces stay columns', async (t) => {
  const document = await mapped(
    'Sodium        140   mmol/L\nPotassium     4.2   mmol/L\nChloride      101   mmol/L',
    'text/plain',
  )
  t.same(rowsOf(document)[1], ['Potassium', '4.2', 'mmol/L'])
})

void test('rich text keeps its letters, bold and tables, and loses its objects', async (t) => {
  const rtf = String.raw`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\author Nobody}}
{\b Medications\par}
caf\'e9 \u8805? 3 {\object{\*\objdata 0105}}\par
\trowd\intbl Metformin\cell 500 mg\cell\row
\trowd\intbl Ramipril\cell 5 mg\cell\row
\pard end\par}`
  const document = await mapped(rtf, 'application/rtf')
  t.match(document.text, /^Medications\ncafé ≥ 3\n/)
  t.equal(document.lines[0]?.isBold, true)
  t.same(rowsOf(document), [
    ['Metformin', '500 mg'],
    ['Ramipril', '5 mg'],
  ])
  t.notMatch(document.text, /Nobody|0105|Arial/)
})

void test('Word files are read with their letterhead, lists, tables and split runs', async (t) => {
  const run = (text: string, properties = '') =>
    `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`
  const cell = (text: string) => `<w:tc><w:p>${run(text)}</w:p></w:tc>`
  const body = `<w:document><w:body>
<w:p>${run('Allergies', '<w:b/>')}</w:p>
<w:p><w:pPr><w:numPr/></w:pPr>${run('peni')}${run('cillin &amp; nuts')}</w:p>
<w:tbl><w:tr>${cell('Sodium')}${cell('140')}${cell('mmol/L')}</w:tr><w:tr>${cell('Urea')}${cell('4.1')}${cell('mmol/L')}</w:tr></w:tbl>
<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>${run('last')}</w:p></w:body></w:document>`
  const header = `<w:hdr><w:p>${run('Harbour Clinic')}</w:p></w:hdr>`
  const document = await mapped(zipOf({ 'word/document.xml': body, 'word/header1.xml': header }), wordType)
  t.match(document.text, /^Harbour Clinic\n+Allergies\n• penicillin & nuts\n/)
  t.same(rowsOf(document), [
    ['Sodium', '140', 'mmol/L'],
    ['Urea', '4.1', 'mmol/L'],
  ])
  t.notMatch(document.text, /deleted/)
})

void test('messages between systems are laid out so that a person can read them', async (t) => {
  const hl7 =
    'MSH|^~\\&|LAB\rPID|1||1||DOE^JANE||19700101|F\rOBX|1|NM|718-7^Haemoglobin^LN||131|g/L|120-160|N|||F|||20210203\r'
  t.same(rowsOf(await mapped(hl7, 'x-application/hl7-v2+er7')).at(-1), [
    'Haemoglobin',
    '131',
    'g/L',
    '120-160',
    'N',
    '2021-02-03',
  ])

  const fhir = {
    resourceType: 'Observation',
    code: { text: 'Haemoglobin' },
    valueQuantity: { value: 131, unit: 'g/L' },
  }
  t.match(
    (await mapped(JSON.stringify(fhir), 'application/fhir+json')).text,
    /code: Haemoglobin\nvalueQuantity: 131 g\/L/,
  )

  const cda = `<ClinicalDocument><component><section><title>Allergies</title><text><list><item>Penicillin</item></list></text>
<entry><value displayName="secret"/></entry></section></component></ClinicalDocument>`
  t.equal((await mapped(cda, 'application/hl7-cda+xml')).text, 'Allergies\n• Penicillin')
})
