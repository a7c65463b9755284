import * as fc from 'fast-check'
import { test } from 'tap'
import type { MappedDocument } from '../../../../clinical/document/mapped.ts'
import { mapPages } from '../../../../worker/pipeline/map/map-pages.ts'
import { rowsAt, typeset, type Setting } from './typeset.ts'

const printed = (document: MappedDocument, part: { start: number; length: number }): string =>
  document.text.slice(part.start, part.start + part.length)

const rowsOf = (document: MappedDocument): string[] =>
  document.lines
    .filter(({ kind }) => kind === 'table_row')
    .map(({ cells }) => cells.map((cell) => printed(document, cell)).join(' | '))

const headersOf = (document: MappedDocument): string[] =>
  document.lines
    .filter(({ kind }) => kind === 'table_header')
    .map(({ cells }) => cells.map((cell) => `${cell.column} ${printed(document, cell)}`).join(' | '))

const mapped = (settings: readonly Setting[]): MappedDocument => mapPages([typeset(settings)])
const header = ['Test', 'Result', 'Units', 'Reference']
const results = [
  ['Sodium', '139', 'mmol/L', '135 - 145'],
  ['Ferritin', '12', 'ug/L', '30 - 300'],
  ['Urea', '5.0', 'mmol/L', '3.0 - 8.0'],
]
const whole = results.map((row) => row.join(' | '))

test('names and ranges that were set over two lines are one cell of their row', (t) => {
  const rows = [
    header,
    ['Alkaline phosphatase', '88', 'U/L', '30 - 110'],
    ['(bone specific,'],
    ['corrected)'],
    ['Vitamin D', '45', 'nmol/L', '> 50'],
    ['', '', '', 'deficient < 25'],
    ...results,
  ]
  t.same(rowsOf(mapped(rowsAt([50, 200, 260, 350], 90, rows))), [
    'Alkaline phosphatase (bone specific, corrected) | 88 | U/L | 30 - 110',
    'Vitamin D | 45 | nmol/L | > 50 deficient < 25',
    ...whole,
  ])
  t.end()
})

test('directions that go on in the next line belong to their medicine, the next medicine does not', (t) => {
  const rows = [
    ['Medication', 'Strength', 'Directions', 'Reason'],
    ['Metformin', '500 mg', 'Take ONE tablet twice', 'Type 2 diabetes'],
    ['', '', 'a day with meals', ''],
    ['Perindopril arginine', '5 mg', 'Take ONE tablet in the', 'High blood'],
    ['', '', 'morning', 'pressure'],
    ['Atorvastatin', '40 mg', 'Take ONE tablet at night', 'Cholesterol'],
  ]
  t.same(rowsOf(mapped(rowsAt([50, 170, 240, 400], 90, rows, { pitch: 11 }))), [
    'Metformin | 500 mg | Take ONE tablet twice a day with meals | Type 2 diabetes',
    'Perindopril arginine | 5 mg | Take ONE tablet in the morning | High blood pressure',
    'Atorvastatin | 40 mg | Take ONE tablet at night | Cholesterol',
  ])
  t.end()
})

test('values that are centred beside a name of two lines are in its row', (t) => {
  const document = mapped([
    ...rowsAt([50, 200, 260, 350], 90, [header]),
    ...rowsAt([50], 105, [['Alkaline phosphatase'], ['(bone specific)']], { pitch: 10 }),
    ...rowsAt([0, 200, 260, 350], 110, [['', '88', 'U/L', '30 - 110']]),
    ...rowsAt([50], 132, [['Gamma glutamyl'], ['transferase']], { pitch: 10 }),
    ...rowsAt([0, 200, 260, 350], 137, [['', '40', 'U/L', '5 - 50']]),
    ...rowsAt([50, 200, 260, 350], 160, results),
  ])
  t.same(rowsOf(document), [
    'Alkaline phosphatase (bone specific) | 88 | U/L | 30 - 110',
    'Gamma glutamyl transferase | 40 | U/L | 5 - 50',
    ...whole,
  ])
  t.end()
})

test('titles of panels and comments between rows are part of no row', (t) => {
  const document = mapped([
    ...rowsAt([50, 200, 260, 350], 90, [header, ['IRON STUDIES'], ...results]),
    { x: 60, y: 155, text: 'Comment: a low ferritin confirms iron deficiency, please look for a cause of blood loss.' },
    ...rowsAt([50, 200, 260, 350], 168, [['LIVER'], ['ALT', '20', 'U/L', '5 - 40'], ['AST', '22', 'U/L', '5 - 40']]),
  ])
  t.same(
    rowsOf(document).filter((row) => row.includes(' | ')),
    [...whole, 'ALT | 20 | U/L | 5 - 40', 'AST | 22 | U/L | 5 - 40'],
  )
  t.end()
})

test('two panels side by side are two tables, read one after the other', (t) => {
  const right = [
    ['ALT', '20', 'U/L', '5 - 40'],
    ['GGT', '30', 'U/L', '5 - 50'],
    ['Albumin', '40', 'g/L', '35 - 50'],
  ]
  const columns = [40, 120, 160, 215, 310, 400, 440, 495]
  const beside = (left: readonly string[], place: number) => [...left, ...(right[place] ?? [])]
  const document = mapped(rowsAt(columns, 90, [[...header, ...header], ...results.map(beside)]))
  t.same(rowsOf(document), [...whole, ...right.map((row) => row.join(' | '))])
  t.equal(new Set(document.lines.map(({ table }) => table)).size, 2)
  const bare = mapped(rowsAt(columns, 90, results.map(beside)))
  t.same(rowsOf(bare), rowsOf(document), 'without headings as well')
  t.end()
})

test('days, hours and numbers of specimens head the columns of a cumulative report', (t) => {
  const document = mapped(
    rowsAt([50, 160, 225, 290, 355, 430], 90, [
      ['Date', '02/01/20', '03/02/21', '04/03/22', '', ''],
      ['Time', '08:30', '09:10', '11:00', 'Units', 'Reference'],
      ['Lab No', '123456', '234567', '345678'],
      ['Sodium', '139', '140', '141', 'mmol/L', '135-145'],
      ['Potassium', '', '4.1', '4.2', 'mmol/L', '3.5-5.2'],
      ['Urea', '5.0', '5.1', '9.0 H', 'mmol/L', '3.0-8.0'],
    ]),
  )
  t.equal(headersOf(document).length, 3)
  t.same(rowsOf(document), [
    'Sodium | 139 | 140 | 141 | mmol/L | 135-145',
    'Potassium | 4.1 | 4.2 | mmol/L | 3.5-5.2',
    'Urea | 5.0 | 5.1 | 9.0 H | mmol/L | 3.0-8.0',
  ])
  const doses = mapped(
    rowsAt([50, 200, 290, 380], 90, [
      ['Vaccine', 'Dose 1', 'Dose 2', 'Dose 3'],
      ['Hepatitis B', '13/01/2001', '14/03/2001', '20/09/2001'],
      ['MMR', '15/01/2002', '10/05/2005', ''],
    ]),
  )
  t.equal(rowsOf(doses).length, 2, 'the days of doses are no heading')
  t.end()
})

test('a heading of two lines, and headings wider than their columns, stand over the right columns', (t) => {
  const twoLines = mapped(
    rowsAt(
      [50, 200, 260, 350, 450],
      90,
      [
        ['', '', '', 'Reference', 'Previous'],
        ['Test', 'Result', 'Units', 'interval', 'result'],
        ['Sodium', '139', 'mmol/L', '135 - 145', '140'],
        ['Urea', '5.0', 'mmol/L', '3.0 - 8.0', '5.1'],
      ],
      { pitch: 11 },
    ),
  )
  t.same(headersOf(twoLines), ['0 Test | 1 Result | 2 Units | 3 Reference interval | 4 Previous result'])
  const tight = mapped(
    rowsAt([50, 130, 155, 195], 90, [
      ['Test', 'Result', 'Units', 'Range'],
      ['Total protein', '70', 'g/L', '60 - 80'],
      ['Globulin total', '30', 'g/L', '20 - 35'],
      ['Phosphate', '1.2', 'mmol/L', '0.8 - 1.5'],
    ]),
  )
  t.same(headersOf(tight), ['0 Test | 1 Result | 2 Units | 3 Range'])
  t.end()
})

test('whatever the widths of its columns, a table of results keeps every row whole', (t) => {
  const names = [
    'Sodium',
    'Potassium',
    'C reactive protein',
    'eGFR',
    'Total protein',
    'Troponin I',
    'Vitamin B12',
    'Urea',
  ]
  const result = fc.record({
    name: fc.constantFrom(...names),
    value: fc.constantFrom('139', '4.1', '<0.01', '>90', '5.9 H', '12.3H', '*90', 'H 120', '0.44'),
    flag: fc.constantFrom('', '', 'H', 'L', 'HH'),
    unit: fc.constantFrom('mmol/L', 'g/L', '%', 'x10^9/L', 'mL/min/1.73m2', ''),
    range: fc.constantFrom('135 - 145', '(3.5 - 5.0)', '<5', '> 60', '0.36-0.46', ''),
  })
  const layout = fc.record({
    rows: fc.array(result, { minLength: 4, maxLength: 12 }),
    gaps: fc.array(fc.integer({ min: 14, max: 70 }), { minLength: 4, maxLength: 4 }),
    pitch: fc.integer({ min: 11, max: 20 }),
    isRight: fc.boolean(),
    skew: fc.integer({ min: -30, max: 30 }).map((thousandths) => thousandths / 1000),
  })
  fc.assert(
    fc.property(layout, ({ rows, gaps, pitch, isRight, skew }) => {
      const lines = [
        ['Test', 'Result', 'Flag', 'Units', 'Reference'],
        ...rows.map(({ name, value, flag, unit, range }) => [name, value, flag, unit, range]),
      ]
      const widths = [95, 42, 24, 72].map((width, column) => width + (gaps[column] ?? 14))
      const places = widths.reduce((all, width) => [...all, (all.at(-1) ?? 0) + width], [40])
      const columns = places.map((x, column) => (isRight && column === 1 ? { right: x + 38 } : x))
      const settings = rowsAt(columns, 90, lines, { pitch }).map((each) => ({ ...each, y: each.y + skew * each.x }))
      const document = mapPages([typeset(settings, { source: 'ocr' })])
      const wanted = rows.map(({ name, value, flag, unit, range }) => [name, value, flag, unit, range].filter(Boolean))
      t.same(
        rowsOf(document),
        wanted.map((row) => row.join(' | ')),
      )
    }),
    { numRuns: 60 },
  )
  t.end()
})

test('days head their columns also where one head among them was misread or cut off', (t) => {
  const days = (...heads: string[]) =>
    headersOf(
      mapped(
        rowsAt([50, 150, 220, 300, 380, 460], 90, [
          ['Test', ...heads],
          ['Sodium', 'mmol/L', '135 - 145', '143', '142', '136'],
          ['Potassium', 'mmol/L', '3.5 - 5.2', '4.5', '5.6', '5.5'],
          ['Chloride', 'mmol/L', '95 - 110', '107', '97', '117'],
        ]),
      ),
    ).length
  t.equal(days('ipa', 'Range', '2 Nov 2020', '4 Nov 2022', '26 Dec 2024'), 1)
  t.equal(days('Units', 'Range', '2 Nov 2020', '4 Nov 2022', '2024'), 1)
  t.equal(days('ipa', 'Ronqe', '2 Nov 2020', '4 Nov 2022', '26 Dec 2024'), 0, 'two of them')
  t.equal(days('mmol/L', 'Range', '2 Nov 2020', '4 Nov 2022', '136'), 0, 'a number is no head')
  t.end()
})
