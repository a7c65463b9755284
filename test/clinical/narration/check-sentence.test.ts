import { test } from 'tap'
import { checkSentence } from '../../../clinical/narration/check-sentence.ts'
import { recorded } from '../../support/recorded-events.ts'

const events = [
  recorded({
    id: 'k',
    eventType: 'lab_result',
    name: 'Potassium',
    valueText: '4.1',
    unit: 'mmol/L',
    eventDate: '2021-02-03',
    referenceRange: '3.5 - 5.2',
    flag: 'H',
  }),
  recorded({
    id: 'na',
    eventType: 'lab_result',
    name: 'Sodium',
    valueText: '139',
    unit: 'mmol/L',
    eventDate: '2021-02-03',
  }),
  recorded({ id: 'h1', eventType: 'lab_result', name: 'HbA1c', valueText: '7.9', unit: '%', eventDate: '2019-05' }),
  recorded({ id: 'h2', eventType: 'lab_result', name: 'HbA1c', valueText: '7.1', unit: '%', eventDate: '2021-02-03' }),
  recorded({
    id: 'm',
    eventType: 'medication',
    name: 'Metformin',
    valueText: '500',
    unit: 'mg',
    frequency: 'twice a day',
    indication: 'type 2 diabetes',
  }),
  recorded({ id: 'r', eventType: 'medication', name: 'Ramipril', valueText: '5', unit: 'mg', frequency: 'daily' }),
  recorded({ id: 'w', eventType: 'medication', name: 'Warfarin', clinicalStatus: 'stopped' }),
  recorded({ id: 'd', eventType: 'condition', name: 'Type 2 diabetes' }),
  recorded({ id: 'a', eventType: 'condition', name: 'Asthma', assertion: 'historical' }),
  recorded({ id: 'e', eventType: 'condition', name: 'Epilepsy', assertion: 'historical' }),
  recorded({ id: 'g', eventType: 'condition', name: 'Gout', assertion: 'negated' }),
  recorded({
    id: 'f',
    eventType: 'family_history',
    name: 'Breast cancer',
    assertion: 'family',
    relationship: 'mother',
  }),
  recorded({ id: 'p', eventType: 'allergy', name: 'Penicillin', reaction: 'rash' }),
  recorded({ id: 'u', eventType: 'condition', name: 'Angina', assertion: 'uncertain' }),
]
const known = new Map(events.map((event) => [event.id, event]))
const check = (text: string, ids: string) => checkSentence(text, ids === '' ? [] : ids.split(' '), known)

const kept: readonly (readonly [text: string, ids: string])[] = [
  ['Potassium was 4.1 mmol/L on 3 February 2021.', 'k'],
  ['Potassium was 4.1 mmol/L on February 3, 2021, printed with the mark H; the printed range is 3.5 - 5.2.', 'k'],
  ['Potassium was 4.1 mmol/L and sodium was 139 mmol/L in February 2021.', 'k na'],
  ['HbA1c was 7.9 % in May 2019; 7.1% on 2021-02-03.', 'h1 h2'],
  ['Metformin 500 mg twice a day is listed for type 2 diabetes.', 'm'],
  ['T2DM is recorded.', 'd'],
  ['Type 2 diabetes is recorded, and metformin 500 mg is listed.', 'd m'],
  ['Warfarin was stopped.', 'w'],
  ['Asthma is recorded in the past.', 'a'],
  ['Gout is denied.', 'g'],
  ['Breast cancer in the family (mother).', 'f'],
  ['Allergy to penicillin with rash.', 'p'],
  ['Allergy to penicillin, with rash.', 'p'],
  ['Angina is possible.', 'u'],
]

const refused: readonly (readonly [what: string, text: string, ids: string])[] = [
  ['no citation', 'Potassium was 4.1 mmol/L.', ''],
  ['an id that was not given', 'Potassium was 4.1 mmol/L.', 'k x'],
  ['another number', 'Potassium was 4.2 mmol/L.', 'k'],
  ['a part of a number', 'Ramipril 5 mg daily, 15 mg is listed.', 'r'],
  ['a longer number', 'Potassium was 14.1 mmol/L.', 'k'],
  ['another unit', 'Potassium was 4.1 mg/dL.', 'k'],
  ['no unit', 'Potassium was 4.1.', 'k'],
  ['another date', 'Potassium was 4.1 mmol/L on 4 February 2021.', 'k'],
  ['a date more exact than printed', 'HbA1c was 7.9 % on 3 May 2019.', 'h1'],
  ['the date of another value', 'HbA1c was 7.9 % on 3 February 2021 and 7.1 % in May 2019.', 'h1 h2'],
  ['values before their dates', 'HbA1c was 7.9 % and 7.1 % in May 2019 and 3 February 2021.', 'h1 h2'],
  ['the value of another test', 'Sodium was 4.1 mmol/L.', 'k na'],
  ['tests gathered before one value', 'Potassium and sodium were 139 mmol/L.', 'k na'],
  ['the dose of another medicine', 'Metformin 5 mg is listed.', 'm r'],
  ['medicines gathered before one dose', 'Metformin and ramipril 5 mg daily are listed.', 'm r'],
  ['a purpose of another medicine', 'Ramipril is listed for type 2 diabetes.', 'r m'],
  ['a purpose behind a comma', 'Ramipril is listed, for type 2 diabetes.', 'r d'],
  ['a purpose in a clause of its own', 'Ramipril is listed and is for type 2 diabetes.', 'r d'],
  ['a judgement', 'HbA1c improved from 7.9 % in May 2019 to 7.1 % on 3 February 2021.', 'h1 h2'],
  ['a judgement without numbers', 'Type 2 diabetes is poorly controlled.', 'd'],
  ['another medicine', 'Gliclazide is listed.', 'm'],
  ['a medicine beside the cited one', 'Metformin 500 mg is listed with zanubrutinib.', 'm'],
  ['a count in words', 'Metformin 500 mg three times is listed.', 'm'],
  ['a denied thing as present', 'Gout is recorded.', 'g'],
  ['a thing of the past as present', 'Asthma is recorded.', 'a'],
  ['a stopped medicine as taken', 'Warfarin is listed.', 'w'],
  ['a second thing of the past without saying so', 'Asthma is recorded in the past, and epilepsy is recorded.', 'a e'],
  ["a relative's as the patient's", 'Breast cancer is recorded.', 'f'],
  ['what is possible as certain', 'Angina is recorded.', 'u'],
  ['a present thing as denied', 'Type 2 diabetes is denied.', 'd'],
  ['a present thing as past', 'A history of type 2 diabetes.', 'd'],
  ['two statuses in one sentence', 'Type 2 diabetes is recorded, and gout is denied.', 'd g'],
  ['nothing by name', 'It was 4.1 mmol/L.', 'k'],
  ['an instruction', 'Type 2 diabetes is recorded. See https://example.org', 'd'],
]

test('a sentence that says what its events say is kept', (t) => {
  for (const [text, ids] of kept) t.match(check(text, ids), { kind: 'kept', citedEventIds: ids.split(' ') }, text)
  t.end()
})

test('a sentence that says anything else is dropped', (t) => {
  for (const [what, text, ids] of refused) t.match(check(text, ids), { kind: 'dropped' }, what)
  t.end()
})

test('events that a sentence cites and does not tell are not its citations', (t) => {
  t.same(check('Potassium was 4.1 mmol/L.', 'k na'), { kind: 'kept', citedEventIds: ['k'] })
  t.end()
})

test('what a document prints is no pattern and no mark', (t) => {
  const odd = recorded({ id: 'o', eventType: 'condition', name: 'C++ (a|b) [x] \uE0000\uE000 $& and, more' })
  t.doesNotThrow(() =>
    checkSentence('C++ (a|b) [x] \uE0000\uE000 $& and, more is recorded.', ['o'], new Map([['o', odd]])),
  )
  t.end()
})
