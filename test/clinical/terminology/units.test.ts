import { test } from 'tap'
import { readTable } from '../../../clinical/terminology/read-table.ts'
import { legibleUnit, matchUnit, unitOf } from '../../../clinical/terminology/units.ts'

const after = (text: string) => {
  const match = matchUnit(text, 0, text.length)
  return match && text.slice(match.start, match.end)
}

void test('every unit of the table is known', async (t) => {
  for (const { text } of readTable('units', ['text'])) if (text !== 'ºF') t.ok(unitOf(text), text)
})

void test('the longest unit behind a number, without what follows it', async (t) => {
  t.equal(after(' mL/min/1.73 m2 (>60)'), 'mL/min/1.73 m2')
  t.equal(after(' g/L, ferritin'), 'g/L')
  t.equal(after(' beats per minute and regular'), 'beats per minute')
  t.equal(after(' of this'), null)
})

void test('units broken by a scan are mended', async (t) => {
  for (const [printed, mended] of [
    ['mmol/1', 'mmol/L'],
    ['mmoi/L', 'mmol/L'],
    ['g/1', 'g/L'],
    ['x10°9/L', 'x10^9/L'],
    ['1043/uL', '10^3/uL'],
    ['kg/m?', 'kg/m2'],
  ] as const) {
    const unit = unitOf(printed)
    t.equal(unit && legibleUnit(printed, unit), mended, printed)
  }
})
