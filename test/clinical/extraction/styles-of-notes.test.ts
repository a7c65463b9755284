/** Whole documents in the manner of different desks: what each part of them says. All are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const shown = (source: string, types: readonly string[], options: Parameters<typeof printDocument>[1] = {}) =>
  findFacts(printDocument(source, options))
    .facts.filter((fact) => types.includes(fact.type))
    .map(({ text, status }) => `${text.toLowerCase()} | ${status}`)

const illnesses = ['condition', 'symptom']

void test('the letters S, O, A and P head the parts of a note', (t) => {
  const note =
    'S: Reports headaches.\nO: No pedal edema.\nA: 1. Hypertension 2. Obesity\nP: Watch for dizziness. Gastroscopy.'
  t.strictSame(shown(note, illnesses), [
    'headaches | present',
    'pedal edema | negated',
    'hypertension | present',
    'obesity | present',
    'dizziness | hypothetical',
  ])
  t.strictSame(shown(note, ['procedure']), ['gastroscopy | hypothetical'])
  t.end()
})

void test('a tick under Yes or No answers its row; a row without one was not answered', (t) => {
  const form = [
    'Have you ever had:\tYes\tNo',
    'Asthma\t✓',
    'Diabetes\t\t✓',
    'Gout\t☐\t☐',
    'Epilepsy\t\tX',
    'Stroke\tx\tx',
    'Migraine\t☑\t☐',
  ].join('\n')
  t.strictSame(shown(form, illnesses), [
    'asthma | present',
    'diabetes | negated',
    'epilepsy | negated',
    'stroke | uncertain',
    'migraine | present',
  ])
  t.end()
})

void test('a title opens no section, and a letter begins behind its head', (t) => {
  t.strictSame(
    shown(
      'GP MENTAL HEALTH TREATMENT PLAN\nPresenting issues: Low mood\nDiagnosis: Major depressive disorder',
      illnesses,
    ),
    ['low mood | present', 'major depressive disorder | present'],
  )
  t.strictSame(
    shown(
      'Dr Simone Hartigan\nProvider No: 1234567A\nDear Peter\nShe has had reflux for a year. No melaena.',
      illnesses,
    ),
    ['reflux | present', 'melaena | negated'],
  )
  t.end()
})

void test('a table of problems says of each whether it is over', (t) => {
  const table = [
    'ACTIVE AND INACTIVE PROBLEMS',
    'Problem\tOnset\tStatus',
    'Essential hypertension\t03/2010\tActive',
    'Acute bronchitis\t01/15/2019\tResolved',
    'Iron deficiency anemia\t2016\tInactive',
  ]
  t.strictSame(shown(table.join('\n'), illnesses, { locale: 'en-US' }), [
    'essential hypertension | present',
    'acute bronchitis | historical',
    'iron deficiency anemia | historical',
  ])
  t.end()
})

void test('a report of pictures without a conclusion says in its findings what was seen', (t) => {
  const findings =
    'CT ABDOMEN\nFindings:\nSigmoid diverticulosis. No free fluid. A small nodule, possibly inflammatory.'
  t.strictSame(shown(findings, ['imaging_result'], { documentClass: 'imaging_report' }), [
    'sigmoid diverticulosis | present',
    'free fluid | negated',
    'a small nodule | present',
    'possibly inflammatory | uncertain',
  ])
  t.strictSame(
    shown(`${findings}\nConclusion:\nDiverticulosis, likely longstanding`, ['imaging_result'], {
      documentClass: 'imaging_report',
    }),
    ['diverticulosis | present', 'likely longstanding | uncertain'],
  )
  t.end()
})

void test('feet, stones and pounds of a height or weight are read together', (t) => {
  const measured = findFacts(printDocument('Ht 5 ft 10 in, Wt 11 st 4 lb')).facts
  t.strictSame(
    measured.filter((fact) => fact.type === 'vital_sign').map(({ text, value }) => [text, value]),
    [
      ['Ht', '5 ft 10 in'],
      ['Wt', '11 st 4 lb'],
    ],
  )
  t.end()
})
