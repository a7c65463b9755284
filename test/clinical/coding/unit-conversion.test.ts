import { test } from 'tap'
import { inUsualUnit } from '../../../clinical/coding/unit-conversion.ts'
import { readTable } from '../../../clinical/terminology/read-table.ts'

void test('a value is converted to the usual unit of its test', (t) => {
  const cases = [
    ['glucose-fasting', 101, 'mg/dL', 5.606, 'mmol/L'],
    ['creatinine', 1, 'mg/dL', 88.4, 'umol/L'],
    ['haemoglobin', 13.1, 'g/dL', 131, 'g/L'],
    ['haemoglobin', 131, 'g/L', 131, 'g/L'],
    ['haemoglobin-a1c', 53, 'mmol/mol', 7, '%'],
    ['body-temperature', 98.6, '[degF]', 37, 'Cel'],
    ['body-weight', 180, '[lb_av]', 81.65, 'kg'],
    ['platelet-count', 245, '10*3/uL', 245, '10*9/L'],
    ['urate', 420, 'umol/L', 0.42, 'mmol/L'],
  ] as const
  for (const [id, value, ucum, usual, usualUcum] of cases)
    t.strictSame(inUsualUnit(id, { value, ucum }), { value: usual, ucum: usualUcum }, `${id} in ${ucum}`)
  t.end()
})

void test('what is another measure is not converted', (t) => {
  t.equal(inUsualUnit('neutrophil-count', { value: 60, ucum: '%' }), null, 'a share is no count')
  t.equal(inUsualUnit('lipoprotein-a', { value: 30, ucum: 'mg/dL' }), null, 'particles differ in mass')
  t.equal(inUsualUnit('urine-white-cells-microscopy', { value: 5, ucum: '/[HPF]' }), null)
  t.equal(inUsualUnit('glucose-fasting', { value: 5, ucum: 'g/L' }), null, 'a unit that the table does not have')
  t.equal(inUsualUnit('no-such-test', { value: 5, ucum: 'g/L' }), null)
  t.end()
})

void test('the reference ranges of the tables, given in two units, agree with the conversions', (t) => {
  const rows = readTable('observation_units', ['observation_id', 'ucum', 'ref_low', 'ref_high'])
  const byTest = Map.groupBy(rows, (row) => row.observation_id)
  let compared = 0
  for (const [id, units] of byTest) {
    for (const row of units) {
      for (const end of ['ref_low', 'ref_high'] as const) {
        const other = inUsualUnit(id, { value: Number(row[end]), ucum: row.ucum })
        const usual = units.find((unit) => unit.ucum === other?.ucum && unit !== row)
        if (other === null || usual === undefined || usual[end] === '' || row[end] === '' || row.ucum === usual.ucum)
          continue
        const wanted = Number(usual[end])
        // Ranges are round numbers of either unit: half of the wanted one is rounding, twice another conversion.
        const isNear =
          wanted === 0 ? other.value <= Number(usual.ref_high) * 0.25 : Math.abs(other.value / wanted - 1) < 0.35
        t.ok(isNear, `${id}: ${row[end]} ${row.ucum} is ${other.value}, printed ${wanted} ${usual.ucum}`)
        compared += 1
      }
    }
  }
  t.ok(compared > 120, 'there is something to compare')
  t.end()
})
