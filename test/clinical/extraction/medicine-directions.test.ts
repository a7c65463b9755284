import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const found = (source: string) => findFacts(printDocument(source)).facts.filter((fact) => fact.type === 'medication')
const course = ({ status, detail }: FoundFact) => (status === 'negated' ? 'not taken' : (detail.clinicalStatus ?? ''))
const row = ({ text, value, unit, detail }: FoundFact) =>
  [
    text,
    [value, unit].filter(Boolean).join(' '),
    detail.dose ?? '-',
    detail.frequency ?? '-',
    `[${detail.frequencyCode ?? ''}]`,
    detail.indication,
  ]
    .filter(Boolean)
    .join(' | ')
const listed = (line: string) => found(`Medications\n${line}`).map(row)

void test('the most that may be taken is no dose, and stays in the instruction', (t) => {
  for (const [line, expected] of [
    [
      'Paracetamol 500 mg 2 tabs q6h prn pain, maximum 8 tablets in 24 hours',
      'Paracetamol | 500 mg | 2 tabs | q6h prn pain, maximum 8 tablets in 24 hours | [4/d prn]',
    ],
    ['Panadol - 2 when needed, not more than 8 a day', 'Panadol | 2 | when needed, not more than 8 a day | [prn]'],
    [
      'GTN spray 400 mcg 1-2 sprays SL PRN for chest pain (max 3 sprays in 15 minutes)',
      'GTN | 400 mcg | 1-2 sprays | PRN for chest pain (max 3 sprays in 15 minutes) | [prn] | chest pain',
    ],
    [
      'Promethazine 25mg PRN (max 50mg in 24 hours)',
      'Promethazine | 25 mg | 25mg | PRN (max 50mg in 24 hours) | [prn]',
    ],
  ] as const)
    t.strictSame(listed(line), [expected], line)
  t.strictSame(found('He uses paracetamol as needed, no more than 4 g per day.').map(row), [
    'paracetamol | - | as needed, no more than 4 g per day | [prn]',
  ])
  t.end()
})

void test('a taper is its first step, and the instruction goes on to its end', (t) => {
  for (const [line, expected] of [
    [
      'Prednisolone 50 mg daily for 3 days, then 37.5 mg daily for 3 days, then 25 mg daily for 3 days then cease',
      'Prednisolone | 50 mg | 50 mg | daily for 3 days, then 37.5 mg daily for 3 days, then 25 mg daily for 3 days then cease | [1/d]',
    ],
    [
      'Dexamethasone 4mg BD 3/7 then 2mg BD 3/7 then 2mg mane 3/7 then stop',
      'Dexamethasone | 4 mg | 4mg | BD 3/7 then 2mg BD 3/7 then 2mg mane 3/7 then stop | [2/d]',
    ],
    [
      'Prednisone 10 mg tablets: take 40 mg x 3 d, 30 mg x 3 d, 20 mg x 3 d',
      'Prednisone | 10 mg | 40 mg | x 3 d, 30 mg x 3 d, 20 mg x 3 d | []',
    ],
  ] as const)
    t.strictSame(listed(line), [expected], line)
  t.end()
})

void test('doses that differ from day to day or hour to hour are none of them the dose', (t) => {
  for (const [line, expected] of [
    ['Warfarin 3mg Mon Wed Fri, 2mg other days', 'Warfarin | 3 mg | - | Mon Wed Fri, 2mg other days | []'],
    [
      'Warfarin - 3 mg Mon/Wed/Fri and 2 mg Tue/Thu/Sat/Sun',
      'Warfarin | 3 mg | - | Mon/Wed/Fri and 2 mg Tue/Thu/Sat/Sun | []',
    ],
    [
      'Thyroxine 100 mcg on weekdays and 150 mcg on weekends',
      'Thyroxine | 100 mcg | - | on weekdays and 150 mcg on weekends | []',
    ],
    ['NovoMix 30 24 units breakfast 16 units dinner', 'NovoMix 30 | 24 units | - | breakfast 16 units dinner | []'],
    ['Lasix 40 mg PO QAM and 20 mg QPM', 'Lasix | 40 mg | - | QAM and 20 mg QPM | []'],
    ['Frusemide 40 mg 2 tablets mane, 1 tablet midday', 'Frusemide | 40 mg | - | 2 tablets mane, 1 tablet midday | []'],
    ['Methotrexate 15 mg once weekly on MONDAY', 'Methotrexate | 15 mg | 15 mg | once weekly on MONDAY | [1/wk]'],
    ['Furosemide 40 mg alternate days', 'Furosemide | 40 mg | 40 mg | alternate days | [1/2d]'],
  ] as const)
    t.strictSame(listed(line), [expected], line)
  const [lispro] = found('Medications\nInsulin lispro sliding scale: BGL 8-12 2 units, 12-16 4 units')
  t.match(lispro, { value: null, detail: { frequency: 'sliding scale' } }, 'a scale holds no dose')
  t.end()
})

void test('directions of several countries', (t) => {
  for (const [line, expected] of [
    ['Amlodipine 10mg OM', 'Amlodipine | 10 mg | 10mg | OM | [1/d morning]'],
    ['Tiotropium 18micrograms inh OD', 'Tiotropium | 18 micrograms | 18micrograms | OD | [1/d]'],
    ['Latanoprost 0.005% 1 drop OD', 'Latanoprost | 0.005 % | 1 drop | - | []'],
    ['Ramipril 5mg capsules - One To Be Taken Each Day - 56 capsule', 'Ramipril | 5 mg | One | Each Day | [1/d]'],
    [
      'Co-codamol 30mg/500mg tablets - Take One Or Two Up To Four Times A Day When Required - 100 tablet',
      'Co-codamol | 30/500 mg | One Or Two | Four Times A Day When Required | [4/d prn]',
    ],
    [
      'guaifenesin 600 MG tablet - Take 1 tablet (600 mg total) by mouth 2 (two) times a day as needed for cough',
      'guaifenesin | 600 MG | 1 tablet | 2 (two) times a day as needed | [2/d prn] | cough',
    ],
    ['Xarelto 20mg po qsupper', 'Xarelto | 20 mg | 20mg | qsupper | [1/d evening]'],
    ['Nitrostat 0.4 mg SL q5min x3 PRN', 'Nitrostat | 0.4 mg | 0.4 mg | q5min x3 PRN | [prn]'],
    ['Micardis 80 one every morning', 'Micardis | 80 | one | every morning | [1/d morning]'],
    ['Oramorph 10mg/5ml 2.5-5ml PRN', 'Oramorph | 10 mg/5 ml | 2.5-5ml | PRN | [prn]'],
    ['Metformin 500 mg every 8 hours Qty: 90', 'Metformin | 500 mg | 500 mg | every 8 hours | [3/d]'],
  ] as const)
    t.strictSame(listed(line), [expected], line)
  t.end()
})

void test('a medicine under several names is one', (t) => {
  for (const [line, expected] of [
    ['Amlodipine (Norvasc) 5 mg daily', 'Amlodipine | 5 mg | 5 mg | daily | [1/d]'],
    [
      'Telmisartan + hydrochlorothiazide [Micardis Plus] 80/12.5 1 mane',
      'Telmisartan + hydrochlorothiazide | 80/12.5 | 1 | mane | [1/d morning]',
    ],
    [
      'Coversyl Plus (perindopril arginine 5mg/indapamide 1.25mg) 1 mane',
      'Coversyl Plus | 5/1.25 mg | 1 | mane | [1/d morning]',
    ],
    ['Esomeprazole 40mg = Nexium, 1 tab daily', 'Esomeprazole | 40 mg | 1 tab | daily | [1/d]'],
    ['Trelegy Ellipta 92/55/22 1 puff daily', 'Trelegy Ellipta | 92/55/22 | 1 puff | daily | [1/d]'],
  ] as const)
    t.strictSame(listed(line), [expected], line)
  t.strictSame(
    found('Medications\nClopidogrel 75 mg daily (aspirin ceased)').map(course),
    ['active', 'stopped'],
    'what was stopped is no other name',
  )
  t.end()
})

void test('a label prints the directions over the name', (t) => {
  t.strictSame(
    found('ANYTOWN PHARMACY\nTAKE 1 TABLET BY MOUTH TWICE DAILY WITH MEALS\nMETFORMIN HCL 500 MG TABLET').map(row),
    ['METFORMIN HCL | 500 MG | 1 TABLET | TWICE DAILY WITH MEALS | [2/d]'],
  )
  t.end()
})

void test('columns of doses, of times of the day and of the end', (t) => {
  t.strictSame(
    found(
      'Discharge medications\nDrug\tDose\tRoute\tFrequency\tDuration\nSalbutamol 100mcg inhaler\t2 puffs\tINH\tPRN\tOngoing\nFurosemide 40 mg\t80 mg\tPO\tOM\t-',
    ).map(row),
    ['Salbutamol | 100 mcg | 2 puffs | PRN | [prn]', 'Furosemide | 40 mg | 80 mg | OM | [1/d morning]'],
  )
  t.strictSame(
    found(
      'Medications\nMedicine\tWhat it is for\tMorning\tNoon\tBedtime\nFrusemide 40 mg\tFluid\t2\t1\t\nOlanzapine 5 mg\tMood\t\t\t1\nMetformin 1 g\tDiabetes\t1\t\t1',
    ).map(row),
    [
      'Frusemide | 40 mg | - | 2 Morning, 1 Noon | [2/d] | Fluid',
      'Olanzapine | 5 mg | 1 | Bedtime | [1/d night] | Mood',
      'Metformin | 1 g | 1 | Morning, Bedtime | [2/d] | Diabetes',
    ],
  )
  t.strictSame(
    found(
      'Printed: 10/06/2022\nMedications\nMedication\tSig\tStart Date\tStop Date\nAmoxicillin 500 mg\t1 cap TID\t01/02/2022\t11/02/2022\nSertraline 50 mg\t1 tab daily\t01/02/2022\tOngoing\nCefalexin 500 mg\t1 cap QID\t09/06/2022\t16/06/2022',
    ).map(course),
    ['stopped', 'active', 'active'],
    'a day to come ends nothing yet',
  )
  t.end()
})

const courses: Readonly<Record<string, readonly string[]>> = {
  'not taken': [
    'Advised not to take ibuprofen.',
    'Ibuprofen should be avoided.',
    'She declined ibuprofen.',
    'Ibuprofen was considered but not started.',
    'Start ibuprofen? not needed.',
    'She would prefer not to start ibuprofen.',
    'Contraindicated: ibuprofen.',
  ],
  planned: [
    'If there is no improvement in three months I would consider adding ibuprofen.',
    'If no better in 48 hours consider ibuprofen 400 mg tds for 5 days.',
  ],
  stopped: [
    'STOP taking these medications:\nIbuprofen 400 mg tablet',
    'Discharge medications\nWITHHELD ON DISCHARGE\nIbuprofen 400 mg bd, restart in 2 weeks',
    'Discharge medications\nCeased\nIbuprofen 400 mg bd',
    'Medications\nIbuprofen 400 mg bd - to be restarted by GP',
  ],
  active: [
    'Allergic to trimethoprim so ibuprofen 400 mg tds prescribed.',
    'No chest pain on ibuprofen 400 mg daily.',
    'Stop ibuprofen 400 mg daily if bleeding.',
    'CONTINUE taking these medications:\nIbuprofen 400 mg tablet',
    'Dr A. Placeholder Prescriber No 000000\nIbuprofen 400 mg tablet\n1 tablet daily',
    'Patient: Ima Specimen\nIbuprofen 400 mg tablet\n1 tablet daily',
  ],
}

void test('whether it is taken, in further words', (t) => {
  for (const [expected, sources] of Object.entries(courses))
    for (const source of sources) t.strictSame(found(source).map(course), [expected], source)
  t.strictSame(
    found('Plan: stop ibuprofen if potassium is above 5.5').map(course),
    [],
    'nothing has been said of today',
  )
  t.strictSame(
    found('Do you take any of these?\n[x] Blood thinners (e.g. warfarin)  [ ] Aspirin  [x] Metformin').map(
      ({ text }) => text,
    ),
    ['Metformin'],
    'an example on a form is not what was ticked',
  )
  t.end()
})
