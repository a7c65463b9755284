/** Whether a procedure was done, is still to come, was not wanted, or was somebody else's. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { printDocument } from './print-document.ts'

const procedures = (line: string) =>
  findFacts(printDocument(line))
    .facts.filter((fact) => fact.type === 'procedure')
    .map(({ text, status }) => `${text.toLowerCase()} | ${status}`)

type Row = readonly [line: string, ...facts: string[]]

const check = (name: string, rows: readonly Row[]) =>
  test(name, (t) => {
    for (const [line, ...facts] of rows) t.strictSame(procedures(line), facts, line)
    t.end()
  })

void check('what was done is told as done', [
  ['He is s/p CABG in 2011.', 'cabg | historical'],
  ['She is status post cholecystectomy.', 'cholecystectomy | historical'],
  ['He underwent laparoscopic cholecystectomy without complications.', 'laparoscopic cholecystectomy | historical'],
  ['The patient had a colonoscopy last year which was normal.', 'colonoscopy | historical'],
  ['Elective cholecystectomy was performed.', 'cholecystectomy | present'],
  ['He had a right inguinal hernia repair in 1998.', 'right inguinal hernia repair | historical'],
  ['Cancer of the breast was treated with lumpectomy.', 'lumpectomy | present'],
])

void check('what is offered, planned, weighed up or advised is not done', [
  ['He is awaiting a hip replacement.', 'hip replacement | hypothetical'],
  ['She is on the waiting list for cataract surgery.', 'cataract surgery | hypothetical'],
  ['I would recommend a gastroscopy.', 'gastroscopy | hypothetical'],
  ['She may require a hysterectomy in the future.', 'hysterectomy | hypothetical'],
  ['We discussed the pros and cons of knee replacement.', 'knee replacement | hypothetical'],
  ['Colonoscopy was offered but she prefers to wait.', 'colonoscopy | hypothetical'],
  ['I have requested a colonoscopy and discussed the risks.', 'colonoscopy | hypothetical'],
  ['If symptoms persist proceed to gastroscopy.', 'gastroscopy | hypothetical'],
  ['We talked about the option of bilateral mastectomy.', 'bilateral mastectomy | hypothetical'],
])

void check('of two procedures each has the word that stands nearest', [
  [
    'He had a colonoscopy and is awaiting a hip replacement.',
    'colonoscopy | historical',
    'hip replacement | hypothetical',
  ],
  [
    'She is awaiting a gastroscopy after her cholecystectomy in 2019.',
    'gastroscopy | hypothetical',
    'cholecystectomy | historical',
  ],
])

void check('what was declined or not needed was not done', [
  ['He declined colonoscopy.', 'colonoscopy | negated'],
  ['Tracheostomy was considered but not required.', 'tracheostomy | negated'],
  ['Chemotherapy was not required.', 'chemotherapy | negated'],
])

void check('steps, teams and titles of an operation report are no procedures', [
  [
    'OPERATION REPORT\nSurgeon: Mr Julian Thornberry\nAnaesthetist: Dr R. Patel\nOperation: Laparoscopic cholecystectomy\nProcedure: Pneumoperitoneum was established. Cystic duct and artery clipped and divided. Haemostasis secured. Skin closed with 3/0 Monocryl.\nPost-op plan: Clear fluids, then diet as tolerated',
    'laparoscopic cholecystectomy | present',
  ],
])

void check('a list names the illness and what was done for it', [
  ['Past medical history\nBPH s/p TURP', 'turp | historical'],
  [
    'Problem list\nCoronary artery disease s/p CABG 2014\nPDA ligation',
    'cabg | historical',
    'pda ligation | historical',
  ],
])
