import { test } from 'tap'
import { codeFact } from '../../../clinical/coding/coding.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const found = (source: string) => findFacts(printDocument(source)).facts.filter((fact) => fact.type === 'allergy')
const mark = { negated: 'NOT', uncertain: '?', present: null, historical: 'past', family: 'family', hypothetical: 'if' }
const row = ({ text, status, detail }: FoundFact) =>
  [text, detail.reaction, detail.severity, mark[status]].filter(Boolean).join(' | ')
const allergies = (source: string) => found(source).map(row)
const codes = (source: string) => found(source).map((fact) => codeFact(fact).selected?.code ?? null)

const none = { any: '716186003', drug: '409137002', food: '429625007', environment: '428607008' }

void test('a denial of one substance denies it alone, whatever else the note holds', async (t) => {
  for (const [source, substance] of [
    ['No allergy to penicillin.', 'penicillin'],
    ['No known allergy to latex.', 'latex'],
    ['She denies allergy to latex.', 'latex'],
    ['No history of allergy to contrast.', 'contrast'],
    ['No latex allergy.', 'latex'],
    ['Not allergic to penicillin.', 'penicillin'],
    ['Penicillin allergy has been delabelled.', 'Penicillin'],
    ['Allergy to penicillin was excluded by testing.', 'penicillin'],
    ['Penicillin allergy was ruled out.', 'Penicillin'],
  ] as const) {
    t.strictSame(allergies(source), [`${substance} | NOT`], source)
    t.ok(
      codes(source).every((code) => !Object.values<string | null>(none).includes(code)),
      `${source} is no denial of all`,
    )
    const beside = allergies(`Allergies: codeine (nausea)\nHistory: cough.\n${source}`)
    t.strictSame(beside, ['codeine | nausea', `${substance} | NOT`], `${source} beside another allergy`)
  }
})

void test('that there are none is coded by what was asked', async (t) => {
  for (const [source, code] of [
    ['NKDA', none.drug],
    ['NKA', none.any],
    ['Allergies: NKFA', none.food],
    ['No known allergies.', none.any],
    ['No known drug allergies.', none.drug],
    ['No known allergies to medications.', none.drug],
    ['No known allergies to food or drugs.', none.any],
    ['No drug allergies.', none.drug],
    ['No food allergies.', none.food],
    ['No seasonal allergies.', none.environment],
    ['Not allergic to any medications.', none.drug],
    ['Allergies: nil', none.any],
    ['Allergies: Nil known', none.any],
    ['Allergies: nil to drugs', none.drug],
    ['Allergies: nil to medications', none.drug],
    ['Allergies: none known to food', none.food],
    ['Allergies: Denies', none.any],
    ['Allergies: Patient denies any allergies', none.any],
    ['Food allergies: none', none.food],
  ] as const) {
    t.strictSame(codes(source), [code], source)
    t.match(allergies(source), [/NOT$/], source)
  }
})

void test('exceptions of a denial are allergies, and the denial does not stand', async (t) => {
  for (const [source, expected] of [
    ['NKDA except peanuts.', ['peanuts']],
    ['NKDA apart from penicillin.', ['penicillin']],
    ['NKDA other than sulfa.', ['sulfa']],
    ['No known allergies except for shellfish and latex.', ['shellfish', 'latex']],
    ['No known drug allergies but allergic to latex.', ['latex']],
    ['Allergies: NKDA except peanuts', ['peanuts']],
    ['Allergies: NKDA apart from penicillin (rash)', ['penicillin | rash']],
    ['Allergies: nil known except codeine - nausea', ['codeine | nausea']],
    ['Allergies: None other than bee stings', ['bee stings']],
  ] as const)
    t.strictSame(allergies(source), expected, source)
})

void test('a doubted allergy is uncertain', async (t) => {
  for (const [source, expected] of [
    ['Allergies: ?penicillin', ['penicillin | ?']],
    ['Allergies: ? penicillin (childhood rash)', ['penicillin | childhood rash | ?']],
    ['Allergies\nLatex? unsure', ['Latex | ?']],
    ['Allergies\nLatex (?)', ['Latex | ?']],
    ['Allergies\nLatex - unconfirmed', ['Latex | ?']],
    ['Allergies: possible penicillin allergy', ['penicillin | ?']],
    ['Allergies: query codeine', ['codeine | ?']],
    ['Possible allergy to sulfa.', ['sulfa | ?']],
    ['Query allergy to codeine.', ['codeine | ?']],
    ['?Allergic to codeine.', ['codeine | ?']],
    ['Previously thought allergic to penicillin, tolerated amoxicillin since.', ['penicillin | ?']],
  ] as const)
    t.strictSame(allergies(source), expected, source)
  t.strictSame(
    allergies(
      'Allergies\nSubstance\tReaction\tStatus\nLatex\trash 2019\tUnconfirmed\nCodeine\titch 2018\tActive\nAspirin\trash 1990\tRefuted',
    ),
    ['Latex | rash 2019 | ?', 'Codeine | itch 2018', 'Aspirin | NOT'],
  )
})

void test('reactions and how bad they were', async (t) => {
  for (const [source, expected] of [
    ['Allergies: penicillin (nausea, mild)', ['penicillin | nausea | mild']],
    ['Allergies: Penicillin - anaphylaxis (severe)', ['Penicillin | anaphylaxis | severe']],
    ['Allergies\nPenicillin: anaphylaxis (severe)', ['Penicillin | anaphylaxis | severe']],
    ['Allergies: Penicillin (anaphylaxis)', ['Penicillin | anaphylaxis | anaphylaxis']],
    ['Allergies\nIbuprofen - GI upset, mild', ['Ibuprofen | GI upset | mild']],
    ['Allergies\nIbuprofen - nausea, vomiting, moderate', ['Ibuprofen | nausea, vomiting | moderate']],
    [
      'Allergies: codeine (nausea, vomiting - moderate), morphine (itch)',
      ['codeine | nausea, vomiting | moderate', 'morphine | itch'],
    ],
    ['Allergies\nSulfa (hives, severe)', ['Sulfa | hives | severe']],
    ['Allergies: Erythromycin - intolerance (GI upset)', ['Erythromycin | GI upset']],
    ['Allergies\n1. Penicillin - Anaphylaxis (1998)', ['Penicillin | Anaphylaxis (1998) | Anaphylaxis']],
    ['Drug allergies: Bactrim => rash (life-threatening)', ['Bactrim | rash | life-threatening']],
    ['Allergies: intolerance to statins (myalgia)', ['statins | myalgia']],
    ['Intolerances: metformin - diarrhoea', ['metformin | diarrhoea']],
    ['Allergic to penicillin (nausea, mild).', ['penicillin | nausea | mild']],
    ['She is allergic to penicillin (severe rash).', ['penicillin | severe rash | severe']],
    ['Allergic to penicillin - developed severe hives.', ['penicillin | severe hives | severe']],
    [
      'Allergic to penicillin (rash), sulfa (swelling), and aspirin.',
      ['penicillin | rash', 'sulfa | swelling', 'aspirin'],
    ],
  ] as const)
    t.strictSame(allergies(source), expected, source)
})

void test('a list keeps its allergies beside its denials', async (t) => {
  for (const [source, expected] of [
    ['Allergies: penicillin - rash; no known food allergies', ['penicillin | rash', 'no known food allergies | NOT']],
    [
      'Allergies: No known drug allergies; peanuts - anaphylaxis',
      ['No known drug allergies | NOT', 'peanuts | anaphylaxis | anaphylaxis'],
    ],
    ['Food allergies: none. Drug allergies: sulfonamides', ['Food allergies: none | NOT', 'sulfonamides']],
    ['ADRs: Penicillin; Augmentin', ['Penicillin', 'Augmentin']],
    ['Allergic to: Penicillin, Codeine', ['Penicillin', 'Codeine']],
    ['Allergies include penicillin, sulfa and latex. He is well.', ['penicillin', 'sulfa', 'latex']],
    ['Allergic to shellfish and bee venom. He is well.', ['shellfish', 'bee venom']],
    ['Allergies: Penicillin. Reaction: rash. Severity: moderate.', ['Penicillin | rash | moderate']],
    ['Allergy: Penicillin\nReaction: Rash\nSeverity: Severe', ['Penicillin | Rash | Severe']],
    [
      'Allergies\nDrug\tReaction\nPenicillin\tRash (mild) 2010\nSulfa\tHives 2012',
      ['Penicillin | Rash (mild) 2010 | mild', 'Sulfa | Hives 2012'],
    ],
    ['Allergies: Morphine, severe nausea', ['Morphine | severe nausea | severe']],
    ['Allergies: unsure if allergic to penicillin', ['penicillin | ?']],
  ] as const)
    t.strictSame(allergies(source), expected, source)
})

void test('what is no statement of an allergy', async (t) => {
  for (const source of [
    'Allergies: unknown',
    'Allergies: Unable to obtain',
    'Allergies: not asked',
    'Allergies: Yes',
    'Allergies: see list',
    'Alerts: Falls risk; MRSA',
    'Sensitivity to gentamicin and ciprofloxacin; resistant to ampicillin.',
    'E. coli sensitive to trimethoprim.',
    'No intolerance to exercise.',
    'Intolerance to heat and cold.',
    'If allergic to penicillin use doxycycline.',
    'Mother allergic to penicillin.',
    'Ask about allergies to antibiotics.',
  ])
    t.strictSame(allergies(source), [], source)
})

void test('a table of drugs and reactions lists no medicines', async (t) => {
  const { facts } = findFacts(printDocument('Allergies\nDrug\tReaction\nPenicillin\tRash 2010\nCodeine\tItch 2012'))
  t.strictSame(
    facts.map(({ type }) => type),
    ['allergy', 'allergy'],
  )
})
