import { test } from 'tap'
import { compoundQuantity } from '../../../clinical/coding/compound-quantity.ts'
import { admitVitalSign } from '../../../clinical/entities/observation/admit.ts'

const rows: readonly (readonly [printed: string, value: number, ucum: string])[] = [
  [`5'10"`, 70, '[in_i]'],
  ['5’ 4 ½”', 64.5, '[in_i]'],
  ['5 ft 10 in', 70, '[in_i]'],
  ["6'", 72, '[in_i]'],
  ['11 st 4 lb', 158, '[lb_av]'],
  ['12 stone', 168, '[lb_av]'],
  ['7 lb 3 oz', 7.1875, '[lb_av]'],
]

test('two numbers of one measure are one quantity', (t) => {
  for (const [printed, value, ucum] of rows) t.strictSame(compoundQuantity(printed), { value, ucum }, printed)
  for (const other of ['132/84', '180', '5.10', '', null]) t.equal(compoundQuantity(other), null)
  t.end()
})

test('a height in feet and inches is kept as printed, counted, and comparable', (t) => {
  const admitted = admitVitalSign({
    type: 'vital_sign',
    text: 'Height',
    status: 'present',
    value: `5'10"`,
    unit: null,
    referenceRange: null,
    date: null,
    detail: {},
    concept: 'observations:body-height',
    coding: { selected: null, candidates: [] },
  })
  t.match(admitted, {
    spoke: {
      row: { valueText: `5'10"`, valueNumeric: '70', unitUcum: '[in_i]', usualValue: '177.8', usualUnitUcum: 'cm' },
    },
  })
  t.end()
})
