/** Smoking, vaping, alcohol and drugs, as they are printed. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const said = ({ text, status, value, date }: FoundFact) =>
  [text.toLowerCase(), status, value, date?.iso].filter((part) => part !== null && part !== undefined).join(' | ')

type Row = readonly [line: string, ...facts: string[]]
const check = (name: string, rows: readonly Row[]) =>
  test(name, (t) => {
    for (const [line, ...facts] of rows) {
      const found = findFacts(printDocument(line)).facts.filter((fact) => fact.type === 'social_history')
      t.strictSame(found.map(said), facts, line)
    }
    t.end()
  })

void check('how much', [
  ['20 pack-years', 'pack-years | present | 20'],
  ['Smoking: 20 pack years, quit 2010', 'smoking | historical | 20 pack years | 2010'],
  ['Smokes 10 cigarettes/day.', 'smokes | present | 10 cigarettes/day'],
  ['Smokes 1 ppd x 20 years.', 'smokes | present | 1 ppd x 20 years'],
  ['Current smoker, half a pack per day', 'smoker | present | half a pack per day'],
  ['Ex-smoker (quit 2010, 30 pack-year history).', 'ex-smoker | historical | 30 pack-year history | 2010'],
  ['Alcohol: 3 standard drinks/week', 'alcohol | present | 3 standard drinks/week'],
  ['EtOH 4-6 beers per night', 'etoh | present | 4-6 beers per night'],
  ['Alcohol intake >14 units/week', 'alcohol intake | present | >14 units/week'],
  ['Social history\nDrinks 2 glasses of wine nightly.', 'wine | present | 2 glasses of wine nightly'],
  ['Occasional alcohol.', 'alcohol | present | Occasional'],
  ['Vapes daily.', 'vapes | present | daily'],
  ['Social history: smoking socially, etOH - 20 g/day', 'smoking | present | socially', 'etoh | present | 20 g/day'],
  [
    'Ex smoker 25 PY, 2 std drinks per week, nil illicits',
    'ex smoker | historical | 25 PY',
    'std drinks | present | 2 std drinks per week',
    'illicits | negated',
  ],
])

void check('whether', [
  ['Ex-smoker, quit 2010.', 'ex-smoker | historical | 2010'],
  ['Smoking status: Former smoker', 'former smoker | historical'],
  ['Smoking status: never', 'smoking | negated'],
  ['Tobacco use: never', 'tobacco use | negated'],
  ['Smoker: N', 'smoker | negated'],
  ['Do you smoke? No', 'smoke | negated'],
  ['Smoking: No Alcohol: Yes', 'smoking | negated', 'alcohol | present'],
  ['Lifelong non-smoker.', 'lifelong non-smoker | negated'],
  ['No smoking or alcohol use.', 'no smoking | negated', 'alcohol use | negated'],
  ['Denies tobacco, alcohol or illicit drugs.', 'tobacco | negated', 'alcohol | negated', 'illicit drugs | negated'],
  ['Denies illicit drugs.', 'illicit drugs | negated'],
  ['She does not vape.', 'does not vape | negated'],
  ['Alcohol use: not currently', 'alcohol use | negated'],
  ['He no longer drinks alcohol.', 'no longer drinks alcohol | historical'],
  ['He is not a current smoker.', 'smoker | negated'],
  ['Teetotal.', 'teetotal | negated'],
  ['Advised to quit smoking.', 'quit smoking | present'],
])

void check('what is no habit of the patient', [
  ['Smoking cessation counselling provided.'],
  ['Father was a heavy smoker.'],
  ['Alcohol-related liver disease'],
  ['Skin cleaned with alcohol wipe.'],
  ['Blood alcohol 0.02'],
  ['Passive smoking at home.'],
])
