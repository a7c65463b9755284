import { test } from 'tap'
import { codeFact } from '../../../clinical/coding/coding.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const found = (source: Parameters<typeof printDocument>[0]) =>
  findFacts(printDocument(source)).facts.filter((fact) => fact.type === 'immunization')
const row = ({ text, status, date, detail }: FoundFact) =>
  [
    text,
    date?.iso,
    detail.batch,
    detail.site,
    detail.manufacturer,
    detail.doseNumber,
    status === 'negated' ? 'NOT' : null,
  ]
    .filter(Boolean)
    .join(' | ')
const doses = (source: Parameters<typeof printDocument>[0]) => found(source).map(row)

/** [status cell, what comes of a row with it and a date] */
void test('the state of a row decides whether a dose was given', async (t) => {
  for (const state of ['Given', 'Administered', 'Completed', 'Done', ''])
    t.strictSame(
      doses(`Immunisations\nVaccine\tStatus\tDate\nZoster\t${state}\t12/03/2021`),
      ['Zoster | 2021-03-12'],
      state,
    )
  for (const state of ['Refused', 'Declined', 'Patient declined', 'Not given', 'Contraindicated', 'Not administered'])
    t.strictSame(doses(`Immunisations\nVaccine\tStatus\tDate\nZoster\t${state}\t12/03/2021`), ['Zoster | NOT'], state)
  for (const state of [
    'Due',
    'Overdue',
    'Deferred',
    'Scheduled',
    'Ordered',
    'Recommended',
    'Offered',
    'Pending',
    'Postponed',
  ])
    t.strictSame(doses(`Immunisations\nVaccine\tStatus\tDate\nZoster\t${state}\t12/03/2021`), [], state)
})

void test('the state may stand in the cell of the date', async (t) => {
  for (const [cell, expected] of [
    ['Refused 10/2020', ['Influenza | NOT']],
    ['Declined on 04/10/2020', ['Influenza | NOT']],
    ['04/10/2020 (declined)', ['Influenza | NOT']],
    ['Due 22/04/2023', []],
    ['overdue since 01/2022', []],
    ['Deferred to 05/2023', []],
    ['Given 04/10/2020', ['Influenza | 2020-10-04']],
    ['Given 04/10/2020, next due 04/10/2021', ['Influenza | 2020-10-04']],
    ['04/10/2020', ['Influenza | 2020-10-04']],
  ] as const)
    t.strictSame(doses(`Immunization History\nVaccine\tDate\nInfluenza\t${cell}`), expected, cell)
})

void test('columns that hold no date of a dose, and those that hold its particulars', async (t) => {
  t.strictSame(
    doses(
      'Immunisations\nVaccine\tDate given\tManufacturer\tLot no.\tSite\tExp\nFluad Quad\t12/03/2020\tSeqirus\tA12B34\tL deltoid\t06/2022',
    ),
    ['Fluad Quad | 2020-03-12 | A12B34 | L deltoid | Seqirus'],
  )
  t.strictSame(doses('Immunisations\nVaccine\tDate given\tNext due\nBoostrix\t12/03/2020\t12/03/2030'), [
    'Boostrix | 2020-03-12',
  ])
  t.strictSame(doses('Immunisations\nVaccine\tDate\tRefused\tReaction\nBoostrix\t12/03/2020\tNo\tNil'), [
    'Boostrix | 2020-03-12',
  ])
  t.strictSame(doses('Immunisations\nVaccine\tDate\tComments\nBoostrix\t12/03/2020\tpatient refused'), [
    'Boostrix | NOT',
  ])
  const card = ['Immunisations', 'Vaccine\tDate given\tBatch', 'Boostrix\t12/03/2020\tA1234']
  t.strictSame(
    doses([...card, { text: 'Shingrix', kind: 'table_row' }]),
    ['Boostrix | 2020-03-12 | A1234'],
    'a printed card lists what nobody has given',
  )
})

void test('items of a list, on lines or in one line', async (t) => {
  for (const [source, expected] of [
    ['Immunisations: Fluvax 03/2021, Pneumovax 2018, ADT 2015', ['Fluvax | 2021-03', 'Pneumovax | 2018', 'ADT | 2015']],
    [
      'Immunizations: Influenza 15/10/2021; Tdap 06/2017; Zoster - declined',
      ['Influenza | 2021-10-15', 'Tdap | 2017-06', 'Zoster | NOT'],
    ],
    ['Immunizations: Influenza - due; Pneumococcal - 2019', ['Pneumococcal | 2019']],
    ['Immunisations\nFluvax - refused 2020', ['Fluvax | NOT']],
    ['Immunisations\nPneumovax 23 - given 03/05/2019 batch X123456', ['Pneumovax 23 | 2019-05-03 | X123456']],
    ['Immunisations\nADT due 2025', []],
    ['Immunisations\nBoostrix overdue since 01/2022', []],
    ['Immunisations\nBoostrix given 12/03/2020, next due 03/2030', ['Boostrix | 2020-03-12']],
    ['Immunisations\nHep B #3 12/12/2012', ['Hep B | 2012-12-12 | 3']],
    ['Immunisations\nInfluenza: 03/04/2021 (declined)', ['Influenza | NOT']],
    ['Immunisations\nHPV: not given', ['HPV | NOT']],
    ['Immunisations\nHep B: 01/05/2001, 03/04/2001', ['Hep B | 2001-05-01', 'Hep B | 2001-04-03']],
    ['Immunisations: up to date', []],
    ['Immunisations\nInfluenza, seasonal, injectable (Fluzone) 10/01/2021', ['Influenza | 2021-01-10']],
    ['Immunisations\nPneumococcal conjugate PCV13 03/02/2019', ['Pneumococcal conjugate PCV13 | 2019-02-03']],
    ['Immunisations due:\nBoostrix\nShingrix', []],
    ['Vaccines refused:\nBoostrix', ['Boostrix | NOT']],
    ['Immunisations\nNot up to date. Missing MMR.', []],
    ['Immunisation history: fully vaccinated against COVID-19, last 12/2021', ['COVID-19 | 2021-12']],
  ] as const)
    t.strictSame(doses(source), expected, source)
})

void test('sentences with the particulars of a dose', async (t) => {
  for (const [source, expected] of [
    ['He was vaccinated against influenza today, lot AB1234, left deltoid.', ['influenza | AB1234 | left deltoid']],
    ['Vaccinated against influenza on 12/04/2022 (Fluad Quad, batch FA123).', ['influenza | 2022-04-12 | FA123']],
    [
      'Influenza vaccine 0.5 mL IM given in left deltoid today. Batch No: P100234567, exp 12/2022.',
      ['Influenza vaccine | P100234567 | left deltoid'],
    ],
    [
      'Comirnaty (Pfizer) COVID-19 vaccine dose 3 given 14/01/2022, batch FL1072, right deltoid.',
      ['Comirnaty | 2022-01-14 | FL1072 | right deltoid | Pfizer | 3'],
    ],
    [
      '2nd dose of Shingrix administered 05/06/2022 lot 5H7K2 in the left arm.',
      ['Shingrix | 2022-06-05 | 5H7K2 | left arm | 2'],
    ],
    [
      'Tdap (Boostrix, GlaxoSmithKline) lot 9B2KX given IM right deltoid on 01/02/2021.',
      ['Tdap | 2021-02-01 | 9B2KX | right deltoid | GlaxoSmithKline'],
    ],
    ['Second dose of Moderna vaccine received 02/03/2021.', ['Moderna vaccine | 2021-03-02 | Moderna | 2']],
    ['Patient received Prevnar 13 on 10/2018.', ['Prevnar 13 | 2018-10']],
    [
      'Flu vaccine, Tdap and MMR given 01/02/2021.',
      ['Flu vaccine | 2021-02-01', 'Tdap | 2021-02-01', 'MMR | 2021-02-01'],
    ],
    ['Received flu vaccine last week and Tdap on 01/02/2021.', ['flu vaccine', 'Tdap | 2021-02-01']],
    ['Flu vaccine given today with no issues.', ['Flu vaccine']],
    [
      'Preventive care: flu shot 10/2021, Tdap 2015, Shingrix declined.',
      ['flu shot | 2021-10', 'Tdap | 2015', 'Shingrix | NOT'],
    ],
    [
      'Received influenza vaccine today. Site: R deltoid. Lot: UT7012KA. Manufacturer: Sanofi.',
      ['influenza vaccine | UT7012KA | R deltoid | Sanofi'],
    ],
  ] as const)
    t.strictSame(doses(source), expected, source)
})

void test('what was refused, is to come or is about something else', async (t) => {
  for (const source of [
    'Pt refuses flu vaccine.',
    'Flu vaccine offered and declined.',
    'Influenza vaccination not given due to febrile illness.',
    'The flu vaccine was not administered.',
    'She has never had the flu vaccine.',
    'Flu shot refused.',
  ])
    t.match(doses(source), [/NOT$/], source)
  t.strictSame(doses('Received flu vaccine but declined Shingrix.'), ['flu vaccine', 'Shingrix | NOT'])
  t.strictSame(doses('Flu vaccine given, Shingrix declined.'), ['Flu vaccine', 'Shingrix | NOT'])
  for (const source of [
    'Hep B vaccine series ordered.',
    'Scheduled for Shingrix next month.',
    'Flu vaccine deferred until well.',
    'Due for tetanus booster.',
    'He is overdue for pneumococcal vaccine.',
    'Recommend annual influenza vaccine.',
    'Recommend pneumococcal vaccine given his COPD.',
    'Pneumococcal vaccine given his COPD should be considered.',
    'Mother received the MMR vaccine.',
    'She had influenza despite vaccination.',
    'She had measles as a child.',
    'Hepatitis B surface antigen negative.',
    'Rubella immune.',
    'No reaction to the influenza vaccine.',
    'Plan: tetanus booster, wound care.',
    'Will need MMR vaccine before travel.',
    'Return for Gardasil dose 2.',
  ])
    t.strictSame(doses(source), [], source)
})

void test('a vaccine named for its disease has the code of its kind', async (t) => {
  for (const [source, code] of [
    ['Immunisations\nTetanus 12/03/2019', '112'],
    ['Immunisations\nCOVID-19 12/03/2021', '213'],
    ['Immunisations\nShingles 12/03/2021', '188'],
    ['Immunisations\nChicken pox 12/03/2021', '21'],
    ['Flu shot given 12/03/2021.', '88'],
  ] as const)
    t.equal(found(source).map((fact) => codeFact(fact).selected?.code)[0], code, source)
})

void test('cards, certificates and lists that share a date', (t) => {
  for (const [source, expected] of [
    [
      'Vaccination certificate\nDisease targeted: COVID-19\nVaccine: Spikevax\nManufacturer: Moderna\nDose number / total doses: 2 / 2\nDate of vaccination: 2021-06-21\nBatch number: 3002618',
      ['Spikevax | 2021-06-21 | 3002618 | Moderna | 2'],
    ],
    ['Immunisations\nVaccine: Spikevax\nDate of vaccination: 21/06/2021\nStatus: Refused', ['Spikevax | NOT']],
    [
      [
        'Immunizations',
        { text: 'Vaccine Group\tDose 1\tDose 2', kind: 'table_header' },
        'Polio\t16/04/2018\t18/06/2018',
        'Varicella\t20/02/2019\t',
        'Hep A',
      ],
      ['Polio | 2018-04-16 | 1', 'Polio | 2018-06-18 | 2', 'Varicella | 2019-02-20 | 1'],
    ],
    [
      [
        { text: 'Vaccines administered today 03/05/2024:', kind: 'heading' },
        'Typhim Vi 0.5 mL IM (L) deltoid Batch V3B112',
        { text: 'Stamaril - not given, egg allergy', kind: 'text' },
        'Hep B - immune (HBsAb 234)',
      ],
      ['Typhim Vi | 2024-05-03 | V3B112', 'Stamaril | NOT'],
    ],
    ['Received MMR #2 and Varicella #2 on 04/08/2023.', ['MMR | 2023-08-04 | 2', 'Varicella | 2023-08-04 | 2']],
    ['Flu vax 3/5/24. Well today.', ['Flu vax | 2024-05-03']],
    ['Immunizations: Had chickenpox in 2015.', []],
    ['Immunizations\nVaccine\tDate\tStatus\nTdap\t15/09/2020\tEntered in error', []],
    [
      'Immunisations\n14-Oct-2023 Seasonal influenza vaccination given by other healthcare provider\n22-Apr-2023 Second dose of SARS-CoV-2 vaccine given at the pharmacy of the town\n03-Feb-2023 Pneumococcal vaccination declined',
      ['Seasonal influenza vaccination | 2023-10-14', 'SARS-CoV-2 | 2023-04-22 | 2', 'Pneumococcal vaccination | NOT'],
    ],
  ] as const)
    t.strictSame(doses(source), expected, JSON.stringify(source))
  t.end()
})

void test('a vaccine that is printed as its antigens has the code of all of them', (t) => {
  for (const [cell, code] of [
    ['Diphtheria, Tetanus, Pertussis, Hepatitis B, Polio, Hib', '146'],
    ['Hepatitis A, Hepatitis B', '104'],
    ['Measles, Mumps, Rubella', '03'],
    ['Pneumococcal (Prevenar 13)', '133'],
    ['Tetanus, Rabies', null],
  ] as const)
    t.equal(
      found(`Immunisations\nDate given\tImmunisation\n10/05/2022\t${cell}`).map(
        (fact) => codeFact(fact).selected?.code ?? null,
      )[0],
      code,
      cell,
    )
  t.end()
})
