import { test } from 'tap'
import { codeFact } from '../../../clinical/coding/coding.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const found = (source: string) => findFacts(printDocument(source)).facts.filter((fact) => fact.type === 'medication')
const course = ({ status, detail }: FoundFact) => (status === 'negated' ? 'not taken' : (detail.clinicalStatus ?? ''))
const dosed = (fact: FoundFact) =>
  [fact.text, [fact.value, fact.unit].filter(Boolean).join(' '), fact.detail.frequency, course(fact)]
    .filter(Boolean)
    .join(' | ')
const listed = (line: string) => found(`Medications\n${line}`)[0]

void test('of a dose that was changed, the new one counts', async (t) => {
  for (const [source, expected] of [
    ['Metformin increased to 1 g bd.', 'Metformin | 1 g | bd | active'],
    ['Metformin 500 mg bd increased to 1 g bd.', 'Metformin | 1 g | bd | active'],
    ['Ramipril increased from 5 mg to 10 mg daily.', 'Ramipril | 10 mg | daily | active'],
    ['Frusemide reduced from 80 mg to 40 mg mane.', 'Frusemide | 40 mg | mane | active'],
    ['We increased her lisinopril from 10 mg to 20 mg daily.', 'lisinopril | 20 mg | daily | active'],
    ['Atorvastatin was uptitrated from 40 mg to 80 mg nocte.', 'Atorvastatin | 80 mg | nocte | active'],
    ['Changed perindopril 5 mg to 10 mg daily.', 'perindopril | 10 mg | daily | active'],
    ['Lantus 10 units nocte, increased to 14 units nocte.', 'Lantus | 14 units | nocte | active'],
    ['Warfarin dose increased from 3 to 4 mg daily.', 'Warfarin | 4 mg | daily | active'],
    ['Ramipril increased from 5 mg to 10 daily.', 'Ramipril | 10 mg | daily | active'],
    ['Metoprolol reduced from 50 mg bd to 25 mg bd.', 'Metoprolol | 25 mg | bd | active'],
    ['Bisoprolol dose halved to 2.5 mg.', 'Bisoprolol | 2.5 mg | active'],
    ['Perindopril 4 mg mane -> 8 mg mane', 'Perindopril | 8 mg | mane | active'],
    ['Perindopril 4 mg → 8 mg mane', 'Perindopril | 8 mg | mane | active'],
    ['Medications\nAmlodipine 5 mg daily (increased to 10 mg)', 'Amlodipine | 10 mg | daily | active'],
    ['Atorvastatin 40 mg (was 20 mg) daily.', 'Atorvastatin | 40 mg | daily | active'],
    ['Atorvastatin 40 mg daily (increased from 20 mg).', 'Atorvastatin | 40 mg | daily | active'],
    ['Frusemide 40 mg increased to bd.', 'Frusemide | 40 mg | bd | active'],
    ['Medication\tDose\tDirections\nRamipril\t5 mg → 10 mg\tdaily', 'Ramipril | 10 mg | daily | active'],
  ] as const)
    t.strictSame(found(source).map(dosed), [expected], source)
})

void test('a dose to come is not the dose of today', async (t) => {
  for (const [source, expected] of [
    ['Perindopril 5 mg daily, consider increasing to 10 mg.', 'Perindopril | 5 mg | daily | active'],
    ['Perindopril 5 mg daily, increase to 10 mg in 2 weeks if tolerated.', 'Perindopril | 5 mg | daily | active'],
    ['Metformin 500 mg bd, will increase to 1 g bd.', 'Metformin | 500 mg | bd | active'],
    ['Consider increasing perindopril to 10 mg daily.', 'perindopril | 10 mg | daily | planned'],
    [
      'Prednisolone 50 mg daily for 3 days then 25 mg daily for 3 days then cease',
      'Prednisolone | 50 mg | daily for 3 days then 25 mg daily for 3 days then cease | active',
    ],
    [
      'Prednisone 40 mg daily, taper by 10 mg every 3 days',
      'Prednisone | 40 mg | daily, taper by 10 mg every 3 days | active',
    ],
    [
      'Prednisolone 25 mg mane reducing by 5 mg every 3 days.',
      'Prednisolone | 25 mg | mane reducing by 5 mg every 3 days | active',
    ],
    ['Dexamethasone 4 mg bd tapering over 2 weeks.', 'Dexamethasone | 4 mg | bd tapering over 2 weeks | active'],
    [
      'Insulin glargine 20 units at night, titrate by 2 units every 3 days.',
      'Insulin glargine | 20 units | at night, titrate by 2 units every 3 days | active',
    ],
    ['Reduce prednisolone by 5 mg each week.', 'prednisolone | active'],
    ['Amoxicillin 500 mg tds for 5 days then stop.', 'Amoxicillin | 500 mg | tds for 5 days then stop | active'],
  ] as const)
    t.strictSame(found(source).map(dosed), [expected], source)
})

const courses: Readonly<Record<string, readonly string[]>> = {
  planned: [
    'Will start lisinopril.',
    'Will start lisinopril 10 mg daily.',
    'Consider starting lisinopril.',
    'Consider lisinopril 10 mg daily.',
    'Plan to commence lisinopril 5 mg bd.',
    'To start lisinopril 50 mg next week.',
    'May need lisinopril.',
    'Would benefit from an ACE inhibitor such as lisinopril.',
    'We discussed starting lisinopril 10 mg.',
    'Recommend lisinopril 10 mg daily.',
    'If symptoms persist start lisinopril 10 mg daily.',
    'She will be started on lisinopril 10 mg daily.',
    'Lisinopril 10 mg daily to commence next week.',
    'Medication\tDose\tFrequency\tStatus\nLisinopril\t10 mg\tdaily\tPlanned',
  ],
  stopped: [
    'Previously took lisinopril.',
    'Previously took lisinopril 5 mg daily.',
    'Previously on lisinopril 50 mg daily.',
    'She used to take lisinopril 100 mg.',
    'Stopped lisinopril in March.',
    'Ceased lisinopril 10 mg daily due to cough.',
    'Lisinopril ceased.',
    'Lisinopril 10 mg daily - on hold.',
    'Lisinopril on hold pending review.',
    'Lisinopril 10 mg withheld prior to surgery.',
    'Lisinopril 5 mg daily was withheld.',
    'Lisinopril was held due to kidney injury.',
    'Medications\nLisinopril 10 mg daily (withheld)',
    'Medications\nLisinopril 10 mg daily - HOLD',
    "Medications\nLisinopril 10 mg daily d/c'd",
    'Medication\tDose\tFrequency\tStatus\nLisinopril\t10 mg\tdaily\tOn hold',
    'Medication\tDose\tFrequency\tStatus\nLisinopril\t10 mg\tdaily\tCeased',
    'She was on lisinopril until 2019.',
    'Not taking lisinopril.',
    'Tried lisinopril without benefit.',
    'Switched from lisinopril.',
  ],
  active: [
    'Continue lisinopril 10 mg daily.',
    'Will continue lisinopril 10 mg daily.',
    'He was started on lisinopril 10 mg daily.',
    'Commenced on lisinopril.',
    'Lisinopril 10 mg daily, hold for SBP < 100.',
    'Lisinopril 10 mg daily (hold if SBP < 100).',
    'Lisinopril was held and then resumed at 10 mg daily.',
    'Continue lisinopril 10 mg daily, stop after 3 months.',
    'Patient stopped drinking and takes lisinopril 10 mg daily.',
    'Previously well. Takes lisinopril 5 mg daily.',
    'Previously diagnosed with hypertension, on lisinopril 5 mg daily.',
    'Do not stop lisinopril 10 mg.',
    'Allergic to penicillin; given lisinopril 10 mg daily.',
    'Discussed side effects of lisinopril 10 mg daily.',
    'Medications\nLisinopril 10 mg daily (changed)',
  ],
  'not taken': ['She is not on lisinopril.', 'Denies taking lisinopril.', 'She was offered lisinopril but declined.'],
}

void test('whether it is taken, to come, or over', async (t) => {
  for (const [expected, sources] of Object.entries(courses))
    for (const source of sources) t.strictSame(found(source).map(course), [expected], source)
})

void test('of two medicines each has its own course', async (t) => {
  for (const [source, expected] of [
    ['Stopped ramipril and started candesartan 8 mg daily.', ['stopped', 'active']],
    ['Switched from metoprolol to bisoprolol 5 mg daily.', ['stopped', 'active']],
    ['Replaced amlodipine with lercanidipine 10 mg daily.', ['stopped', 'active']],
    ['Amlodipine was replaced by lercanidipine 10 mg daily.', ['stopped', 'active']],
    ['Amlodipine 5 mg changed to lercanidipine 10 mg daily.', ['stopped', 'active']],
    ['Medications: ramipril 5 mg daily (ceased), atorvastatin 40 mg nocte', ['stopped', 'active']],
    ['Atorvastatin was stopped because of myalgia and rosuvastatin 5 mg was started.', ['stopped', 'active']],
    ['She was previously on warfarin but was changed to apixaban 5 mg bd last year.', ['stopped', 'active']],
    [
      'Medications\n1. Ramipril 5 mg. Take one daily. Stopped 06/2021.\n2. Aspirin 100 mg. Take one daily.',
      ['stopped', 'active'],
    ],
    [
      'Discharge medications\nPrednisolone 50 mg daily for 3 days then 25 mg daily for 3 days then cease\nAspirin 100 mg daily',
      ['active', 'active'],
    ],
  ] as const)
    t.strictSame(found(source).map(course), expected, source)
})

/** [line of a list, value, unit, dose, frequency, code, what else] */
const lines: readonly (readonly [string, string | null, string | null, string | undefined, string, string, object])[] =
  [
    [
      'Salbutamol 100 mcg MDI 2 puffs q4h prn for wheeze',
      '100',
      'mcg',
      '2 puffs',
      'q4h prn',
      '6/d prn',
      { indication: 'wheeze' },
    ],
    ['Paracetamol 1 g qid prn max 4 g/day', '1', 'g', '1 g', 'qid prn', '4/d prn', {}],
    [
      'Paracetamol 500 mg 2 tabs q6h prn pain, maximum 8 tablets in 24 hours',
      '500',
      'mg',
      '2 tabs',
      'q6h prn',
      '4/d prn',
      {},
    ],
    [
      'Oxycodone 5 mg 1 tab q4-6h prn for severe pain, max 6/day',
      '5',
      'mg',
      '1 tab',
      'q4-6h prn',
      '4-6/d prn',
      { indication: 'severe pain' },
    ],
    [
      'GTN spray 400 mcg 1-2 sprays SL prn chest pain',
      '400',
      'mcg',
      '1-2 sprays',
      'prn',
      'prn',
      { indication: 'chest pain' },
    ],
    ['Latanoprost 0.005% eye drops 1 drop both eyes nocte', '0.005', '%', '1 drop', 'nocte', '1/d night', {}],
    ['Vitamin D 1000 IU daily', '1000', 'IU', '1000 IU', 'daily', '1/d', {}],
    ['Symbicort 200/6 mcg 2 puffs bd', '200/6', 'mcg', '2 puffs', 'bd', '2/d', {}],
    ['Seretide 250/25 2 puffs bd', '250/25', null, '2 puffs', 'bd', '2/d', {}],
    ['Augmentin Duo Forte 875/125 mg bd', '875/125', 'mg', '875/125 mg', 'bd', '2/d', {}],
    ['Lisinopril-HCTZ 20mg/12.5mg daily', '20/12.5', 'mg', '20mg/12.5mg', 'daily', '1/d', {}],
    ['Losartan-HCTZ 100-25 mg daily', '100/25', 'mg', '100-25 mg', 'daily', '1/d', {}],
    ['Insulin aspart 4-8 units tds with meals', '4-8', 'units', '4-8 units', 'tds with meals', '3/d', {}],
    [
      'Fentanyl patch 25 mcg/hr every 72 hours',
      '25',
      'mcg/hr',
      '25 mcg/hr',
      'every 72 hours',
      '1/3d',
      { route: 'patch' },
    ],
    ['Norspan 10 mcg/h patch weekly', '10', 'mcg/h', '10 mcg/h', 'weekly', '1/wk', { route: 'patch' }],
    ['Methotrexate 10 mg weekly on Mondays', '10', 'mg', '10 mg', 'weekly on Mondays', '1/wk', {}],
    ['Methotrexate 2.5 mg 4 tablets once a week', '2.5', 'mg', '4 tablets', 'once a week', '1/wk', {}],
    ['Metoprolol 50 mg ii bd', '50', 'mg', 'ii', 'bd', '2/d', {}],
    ['Frusemide 40 mg 1 mane 2 nocte', '40', 'mg', undefined, '1 mane 2 nocte', '2/d', {}],
    ['Levodopa/carbidopa 100/25 1.5 tds', '100/25', null, '1.5', 'tds', '3/d', {}],
    ['Panadol Osteo 665 mg 2 tds', '665', 'mg', '2', 'tds', '3/d', {}],
    ['NovoRapid sliding scale', null, null, undefined, 'sliding scale', 'asdir', {}],
    ['Lisinopril 5mg 1 tab po qhs #30 RF2', '5', 'mg', '1 tab', 'qhs', '1/d night', { route: 'po' }],
    [
      'Amoxicillin 500mg cap 1 cap po tid x 10d #30 RF0',
      '500',
      'mg',
      '1 cap',
      'tid x 10d',
      '3/d',
      { duration: 'x 10d' },
    ],
    ['Gabapentin 300 mg cap take 1 po tid #90 RF 3', '300', 'mg', '1', 'tid', '3/d', { route: 'po' }],
    ['Ceftriaxone 1 g IV daily', '1', 'g', '1 g', 'daily', '1/d', { route: 'IV' }],
    ['Warfarin 1 mg as per INR', '1', 'mg', '1 mg', 'as per INR', 'asdir', {}],
    ['Digoxin 62.5 microg mane', '62.5', 'microg', '62.5 microg', 'mane', '1/d morning', {}],
    ['Trazodone 50 mg 1/2 tab qhs', '50', 'mg', '1/2 tab', 'qhs', '1/d night', {}],
    ['Norco 5-325 mg 1 tab q6h prn', '5/325', 'mg', '1 tab', 'q6h prn', '4/d prn', {}],
    ['Zolpidem 10 mg qhs prn insomnia', '10', 'mg', '10 mg', 'qhs prn', '1/d night prn', { indication: 'insomnia' }],
    [
      'Prednisone 10 mg tabs: 4 tabs daily x 3 days, 3 tabs daily x 3 days, then stop',
      '10',
      'mg',
      '4 tabs',
      'daily x 3 days',
      '1/d',
      {},
    ],
    ['Prednisone 5 mg daily for years', '5', 'mg', '5 mg', 'daily', '1/d', {}],
  ]

void test('units, counts and combinations of a dose', async (t) => {
  for (const [line, value, unit, dose, frequency, frequencyCode, more] of lines) {
    const fact = listed(line)
    t.match(
      { value: fact?.value, unit: fact?.unit, ...fact?.detail },
      { value, unit, frequency, frequencyCode, ...more },
      line,
    )
    t.equal(fact?.detail.dose, dose, `dose of ${line}`)
    if (!('indication' in more) && !/prn pain/.test(line))
      t.equal(fact?.detail.indication, undefined, `reason of ${line}`)
  }
})

void test('who prescribed it, outside of tables', async (t) => {
  for (const [source, prescriber] of [
    ['Aspirin 81 mg daily, prescribed by Dr. Alan Smith.', 'Dr. Alan Smith'],
    ['Dr Jones prescribed amoxicillin 500 mg tds.', 'Dr Jones'],
    ['Medications\nLisinopril 10 mg daily (Dr. Patel)', 'Dr. Patel'],
    ['Pradaxa 110 mg bd started by Prof Lee.', 'Prof Lee'],
    ['Pradaxa 110 mg bd.', undefined],
  ] as const)
    t.equal(found(source)[0]?.detail.prescriber, prescriber, source)
})

void test('a combination has the code of the combination', async (t) => {
  for (const [line, name] of [
    ['Lisinopril-HCTZ 20/12.5 mg daily', /lisinopril.*hydrochlorothiazide/],
    ['Amoxicillin/clavulanate 875/125 mg bd', /amoxicillin.*clavulanic/],
    ['Acetaminophen/codeine 300/30 mg prn', /paracetamol.*codeine/],
    ['Formoterol/budesonide 6/200 mcg bd', /budesonide.*formoterol/],
  ] as const) {
    const fact = listed(line)
    t.match(fact && codeFact(fact).selected?.display, name, line)
  }
})
