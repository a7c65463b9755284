import { test } from 'tap'
import { sniffMimeType } from '../../../../platform/sniff.ts'
import { mapBytes, readBytes, rowsOf } from '../../../support/read-bytes.ts'

const mapped = (bytes: Uint8Array | string) => mapBytes(bytes, 'text/plain')

test('plain text is read in each of its encodings', async (t) => {
  const line = 'Blood glucose 5.1 µmol/L – über 37 °C'
  const wide = Buffer.from(line, 'utf16le')
  const marked = Buffer.concat([Buffer.from([0xff, 0xfe]), wide])
  const single = (dash: string, u: string, degree: string) =>
    Buffer.from(line.replace('–', dash).replace('ü', u).replace('°', degree), 'latin1')
  const encodings = {
    utf8: Buffer.from(line),
    utf8WithMark: Buffer.from(`\uFEFF${line}`),
    utf16WithMark: marked,
    utf16: wide,
    utf16BigEndianWithMark: Buffer.from(marked).swap16(),
    utf16BigEndian: Buffer.from(wide).swap16(),
    windows: single('\x96', '\xfc', '\xb0'),
    mac: single('\xd0', '\x9f', '\xa1'),
  }
  for (const [name, bytes] of Object.entries(encodings)) {
    t.equal((await mapped(bytes)).text, line, name)
    t.equal(sniffMimeType(bytes), 'text/plain', `${name} is taken for a text`)
  }
  const cut = Buffer.concat([Buffer.from(`${line} `), Buffer.from('é').subarray(0, 1)])
  t.match((await mapped(cut)).text, line, 'a letter that is cut in two does not cost the others')
})

test('words of a text lie on its page, none above another', async (t) => {
  const [page] = await readBytes('one two\nthree', 'text/plain')
  t.equal(page?.source, 'structured')
  const [one, two, three] = page?.words ?? []
  t.ok(one !== undefined && two !== undefined && one.box[2] < two.box[0])
  t.ok(one !== undefined && three !== undefined && one.box[3] < three.box[1])
})

test('a long text runs over several pages', async (t) => {
  const text = Array.from({ length: 120 }, (_, index) => `line ${index}`).join('\n')
  const pages = await readBytes(text, 'text/plain')
  t.equal(pages.length, 3)
  t.ok(pages.every((page, index) => page.number === index + 1 && page.words.every(({ box }) => box[3] <= 1)))
})

test('a form feed begins a page, whatever ends the lines', async (t) => {
  for (const end of ['\n', '\r\n', '\r']) {
    const pages = await readBytes(['one', 'two\fthree', 'four'].join(end), 'text/plain')
    t.same(
      pages.map(({ words }) => words.map(({ text }) => text)),
      [
        ['one', 'two'],
        ['three', 'four'],
      ],
    )
  }
})

test('separated values become a table', async (t) => {
  const document = await mapped('Date,Test,Result\n2021-02-03,"Cholesterol, total",5.1\n2021-02-03,HDL,\n')
  t.same(rowsOf(document), [
    ['Date', 'Test', 'Result'],
    ['2021-02-03', 'Cholesterol, total', '5.1'],
    ['2021-02-03', 'HDL'],
  ])
})

test('values in quotation marks may hold line breaks, and a title may stand above them', async (t) => {
  const quoted = '"first line\nsecond ""line"""'
  const document = await mapped(
    `Results of Ann Lee\n\nTest;Result;Units;Note\nSodium;140;mmol/L;${quoted}\nUrea;4,1;mmol/L;\n`,
  )
  t.match(document.text, /^Results of Ann Lee\n/)
  t.match(document.text, /second "line"/)
  t.same(rowsOf(document).at(-1), ['Urea', '4,1', 'mmol/L'])
})

test('sentences with commas are no table', async (t) => {
  const document = await mapped(
    'Dear Ann, thank you, regards.\nWe met, spoke, and left.\nSee you, soon, bye.\nJust this.',
  )
  t.match(document.text, /Dear Ann, thank you, regards\./)
})

test('a table that goes on says its header again on each page', async (t) => {
  const rows = Array.from({ length: 120 }, (_, index) => `2021-02-03,Test ${index},${index}`)
  const pages = await readBytes(['Date,Test,Result', ...rows].join('\n'), 'text/plain')
  t.equal(pages.length, 3)
  t.ok(pages.every(({ words }) => words[0]?.text === 'Date'))
})

test('columns that a text makes with spaces stay columns, however wide it is', async (t) => {
  const document = await mapped('Sodium        140   mmol/L\nPotassium     4.2   mmol/L\nChloride      101   mmol/L')
  t.same(rowsOf(document)[1], ['Potassium', '4.2', 'mmol/L'])
  const wide = ['Sodium', 'Potassium', 'Chloride'].map((name) => `${name.padEnd(90)}140${' '.repeat(40)}135-145`)
  t.same(rowsOf(await mapped(wide.join('\n')))[1], ['Potassium', '140', '135-145'])
})

test('nothing of a text is lost, however it is set', async (t) => {
  // The same numbers on every run (Lehmer).
  let seed = 42
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  const marks = [' ', '  ', '\t', '\n', '\r\n', '\f', '      ', ', ', ' | ', '\n\n', '; ']
  for (let round = 0; round < 8; round++) {
    const words = Array.from(
      { length: 400 },
      (_, index) => `${index}${'wordéß漢'.slice(0, 1 + random(7)).repeat(1 + random(4) * random(9))}`,
    )
    const text = words.map((word) => word + (marks[random(marks.length)] ?? ' ')).join('')
    const printed = (await readBytes(text, 'text/plain'))
      .flatMap((page) => page.words.map((word) => word.text))
      .join('')
    t.equal(printed, text.replaceAll(/\s/g, ''))
  }
})
