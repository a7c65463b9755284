import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const mark = { negated: 'NOT', uncertain: '?', present: null, historical: 'past', family: 'family', hypothetical: 'if' }
const row = ({ text, status, detail }: FoundFact) =>
  [text, detail.reaction, detail.severity, mark[status]].filter(Boolean).join(' | ')
const allergies = (source: Parameters<typeof printDocument>[0]) =>
  findFacts(printDocument(source))
    .facts.filter((fact) => fact.type === 'allergy')
    .map(row)

void test('reactions are told without the word allergy', (t) => {
  for (const [source, expected] of [
    ['He tells me that codeine makes him vomit.', 'codeine | vomit'],
    ['She came out in a rash with Bactrim.', 'Bactrim | rash'],
    ["Can't have Bactrim - came out in a rash", 'Bactrim | rash'],
    ['She gets nausea from tramadol.', 'tramadol | nausea'],
    ['Had an itchy rash after IV contrast in 2016.', 'IV contrast | itchy rash'],
    ['Prawns cause lip swelling.', 'Prawns | lip swelling'],
    ['Amlodipine caused ankle swelling.', 'Amlodipine | ankle swelling'],
    ['Developed severe hives after taking amoxicillin.', 'amoxicillin | severe hives | severe'],
  ] as const)
    t.strictSame(allergies(source), [expected], source)
  for (const source of [
    'Codeine may cause vomiting.',
    'No rash with Bactrim.',
    'Tramadol can make her dizzy.',
    'If amoxicillin causes a rash stop it.',
    'Her son gets hives from peanuts.',
    'Ondansetron given for nausea.',
    'Nausea treated with metoclopramide.',
    'She tolerates cephalexin.',
    'Urine grew E. coli resistant to amoxicillin.',
  ])
    t.strictSame(allergies(source), [], source)
  t.end()
})

void test('what is named outweighs that there was nothing of its kind', (t) => {
  for (const [source, expected] of [
    ['Allergies: NKDA. Intolerant of erythromycin (GI upset).', ['erythromycin | GI upset']],
    ['Allergies: NKDA\nAllergies: Peanut - hives', ['NKDA | NOT', 'Peanut | hives']],
    ['Allergies\nPenicillin - rash\nNo known allergies to latex.', ['Penicillin | rash', 'latex | NOT']],
  ] as const)
    t.strictSame(allergies(source), expected, source)
  t.end()
})

void test('lists of several shapes', (t) => {
  for (const [source, expected] of [
    ['ALLERGY ALERT: CEFTRIAXONE (rash 2021) / MORPHINE (itch)', ['CEFTRIAXONE | rash 2021', 'MORPHINE | itch']],
    ['Drug allergies: ?penicillin - patient unsure, childhood', ['penicillin | ?']],
    [
      'Allergies\n1. Penicillins - hives, throat swelling (2004, severe)\n2. IV contrast dye: needs premedication\nTolerates cephalosporins and NSAIDs.',
      ['Penicillins | hives, throat swelling (2004, severe) | severe', 'IV contrast dye'],
    ],
    [
      'Allergies\n12-Mar-2009 Adverse reaction to penicillin V - Rash\n01-Jan-2001 Allergy to nuts',
      ['penicillin V | Rash', 'nuts'],
    ],
    [
      'Do you have any allergies? [x] Yes [ ] No\nIf yes, please list: penicillin - swollen face; adhesive tape - blisters',
      ['penicillin | swollen face', 'adhesive tape | blisters'],
    ],
    [
      'Are you allergic to:\n[ ] Aspirin [x] Latex [ ] Eggs\nDo you take any of the following?\n[x] Blood thinners [x] Metformin',
      ['Latex'],
    ],
  ] as const)
    t.strictSame(allergies(source), expected, source)
  t.strictSame(
    allergies([
      { text: 'Past history', kind: 'heading' },
      { text: 'Asthma', kind: 'text' },
      { text: 'Penicillin allergy', kind: 'text' },
      { text: 'Hypertension', kind: 'text' },
    ]),
    ['Penicillin'],
    'an allergy among illnesses opens no list of allergies',
  )
  t.strictSame(
    allergies([{ text: 'Resident: A. Fixture\tAllergies: Codeine, shellfish', kind: 'key_value' }]),
    ['Codeine', 'shellfish'],
    'a label in a later cell of the line',
  )
  t.strictSame(
    allergies([
      'Allergies/Adverse reactions:',
      { text: 'Penicillin\tAnaphylaxis\tSevere\t12/05/1998', kind: 'table_row' },
      { text: 'Codeine\tVomiting\tMild', kind: 'table_row' },
    ]),
    ['Penicillin | Anaphylaxis | Severe', 'Codeine | Vomiting | Mild'],
    'rows under no heading of columns',
  )
  t.end()
})
