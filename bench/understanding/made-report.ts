/** A cumulative report of laboratory results, made from the tests that the tables know: no two pages are the same. */
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import type { Page, Word } from '../../clinical/document/page.ts'
import { readTable } from '../../clinical/terminology/read-table.ts'
import { createRandom } from '../../scripts/soak/random.ts'
import { mapPages } from '../../worker/pipeline/map/map-pages.ts'

export const rowsPerPage = 40

export function madeReport(pageCount: number): MappedDocument {
  const tests = printableTests().slice(0, rowsPerPage)
  return mapPages(Array.from({ length: pageCount }, (_, index) => page(index + 1, tests)))
}

type PrintedTest = { readonly name: string; readonly unit: string; readonly low: number; readonly high: number }

function printableTests(): PrintedTest[] {
  const names = new Map(
    readTable('observations', ['id', 'name', 'kind', 'specimen'])
      .filter(({ kind, specimen }) => kind === 'lab' && /serum|blood|plasma/.test(specimen))
      .map(({ id, name }) => [id, name]),
  )
  const units = readTable('observation_units', ['observation_id', 'ucum', 'ref_low', 'ref_high'])
  const tests = units.flatMap(({ observation_id: id, ucum: unit, ref_low: low, ref_high: high }) => {
    const name = names.get(id)
    return name === undefined || low === '' || high === '' ? [] : [{ name, unit, low: Number(low), high: Number(high) }]
  })
  return [...new Map(tests.toReversed().map((test) => [test.name, test])).values()].toReversed()
}

const columns = { name: 0.08, value: 0.42, flag: 0.52, unit: 0.6, range: 0.76 } as const
type Cells = { readonly [Column in keyof typeof columns]: string }

function page(number: number, tests: readonly PrintedTest[]): Page {
  const random = createRandom(number, 'page')
  const day = new Date(Date.UTC(2000, 0, 1 + number * 13)).toLocaleDateString('en-AU', {
    dateStyle: 'long',
    timeZone: 'UTC',
  })
  const rows = tests.map((test) => {
    const value = random.between(test.low, test.high)
    const { name, unit, low, high } = test
    return { name, value: value.toFixed(high < 10 ? 2 : 1), flag: '', unit, range: `${low} - ${high}` }
  })
  return {
    number,
    widthPt: 595,
    heightPt: 842,
    rotation: 0,
    source: 'text_layer',
    engine: 'made',
    quality: { grade: 'good', reason: null },
    words: [
      ...cellWords(`Collected ${day}`, columns.name, 0),
      ...rowWords({ name: 'Test', value: 'Result', flag: 'Flag', unit: 'Unit', range: 'Reference range' }, 1),
      ...rows.flatMap((row, index) => rowWords(row, index + 2)),
    ],
  }
}

const rowWords = (cells: Cells, row: number): Word[] =>
  Object.entries(columns).flatMap(([column, left]) =>
    isColumn(column) && cells[column] !== '' ? cellWords(cells[column], left, row) : [],
  )

const isColumn = (name: string): name is keyof Cells => name in columns

const letterWidth = 0.008
const lineHeight = 0.02

function cellWords(text: string, left: number, row: number): Word[] {
  const top = 0.05 + row * lineHeight
  return Array.from(text.matchAll(/\S+/g), (match): Word => {
    const x0 = left + match.index * letterWidth
    return {
      text: match[0],
      confidence01: 0.98,
      box: [x0, top, x0 + match[0].length * letterWidth, top + lineHeight * 0.6],
      line: row,
      block: 0,
    }
  })
}
