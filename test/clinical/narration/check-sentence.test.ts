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
  recorded({ id: 'hy', eventType: 'procedure', name: 'Colonoscopy', assertion: 'hypothetical' }),
  recorded({ id: 'fl', eventType: 'immunization', name: 'Influenza', eventDate: '2021-04' }),
  recorded({ id: 'hep', eventType: 'lab_result', name: 'Hepatitis B surface antigen', valueText: 'negative' }),
  recorded({ id: 'be', eventType: 'lab_result', name: 'Base excess', valueText: '2.0', unit: 'mmol/L' }),
  recorded({ id: 'lk', eventType: 'condition', name: 'Left knee osteoarthritis' }),
  recorded({ id: 'res', eventType: 'condition', name: 'Pneumonia', clinicalStatus: 'resolved' }),
  recorded({ id: 'asp', eventType: 'medication', name: 'Aspirin', indication: 'stroke' }),
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
  ['No gout is recorded.', 'g'],
  ['The record denies gout.', 'g'],
  ['Gout was not reported.', 'g'],
  ['Gout is recorded as denied.', 'g'],
  ['In the family, breast cancer is recorded (mother).', 'f'],
  ['Family history of breast cancer (mother).', 'f'],
  ['The mother has breast cancer in the family.', 'f'],
  ['Colonoscopy is planned.', 'hy'],
  ['Influenza vaccine was given in April 2021.', 'fl'],
  ['Hepatitis B surface antigen was negative.', 'hep'],
  ['Pneumonia is recorded in the past.', 'res'],
  ['Aspirin is listed for stroke.', 'asp'],
  ['Allergies: penicillin, with rash.', 'p'],
  ['Left knee osteoarthritis is recorded.', 'lk'],
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
  ['a denial denied', 'Gout is not denied.', 'g'],
  ['a denial of a denial', 'No gout is not recorded.', 'g'],
  ['a denial of something else', 'Gout is recorded without date.', 'g'],
  ['a denial of something else behind a comma', 'Gout is recorded, no date.', 'g'],
  ['a denial of a medicine', 'Gout is recorded with no medicine.', 'g'],
  ['a denial in an aside', 'The patient has gout, not medicine.', 'g'],
  [
    'a thing of the family once more as the patient’s',
    'Breast cancer in the family, the patient has breast cancer.',
    'f',
  ],
  ['a thing of the family as the patient’s', 'The patient has breast cancer, family.', 'f'],
  ['the family of a report', 'Breast cancer is recorded in the family report.', 'f'],
  ['the past of a report', 'Asthma is recorded in a past report.', 'a'],
  ['a doubt about a date', 'Angina is recorded, date uncertain.', 'u'],
  ['a doubt about its date', 'Angina is recorded and its date is uncertain.', 'u'],
  ['what is possible as likely', 'Angina is likely.', 'u'],
  ['what is over as present', 'Pneumonia is recorded.', 'res'],
  ['what is of the past as healed', 'Asthma resolved in the past.', 'a'],
  ['a medicine as an allergy', 'Allergy to metformin 500 mg.', 'm'],
  ['a medicine as a reaction', 'A reaction to metformin is recorded.', 'm'],
  ['a condition as an allergy', 'Type 2 diabetes is an allergy.', 'd'],
  ['an allergy as a medicine', 'Penicillin is listed.', 'p'],
  ['an allergy as given', 'Penicillin was given with rash.', 'p'],
  ['a vaccine as an illness', 'Influenza is recorded in April 2021.', 'fl'],
  ['a result without its value', 'Hepatitis B surface antigen is recorded.', 'hep'],
  ['a range as a value', 'Potassium was 3.5 - 5.2.', 'k'],
  ['a range beside a value as another value', 'Potassium was 4.1 mmol/L and 3.5 - 5.2.', 'k'],
  ['a severity out of the word for a mark', 'Marked asthma is recorded in the past.', 'a'],
  ['a severity of what is present', 'Type 2 diabetes is marked.', 'd'],
  ['a mark that is not printed', 'Sodium was 139 mmol/L, flagged.', 'na'],
  ['a minus', 'Base excess was – 2.0 mmol/L.', 'be'],
  ['a minus of another kind', 'Base excess was −2.0 mmol/L.', 'be'],
  ['a hyphen as a minus', 'Base excess was - 2.0 mmol/L.', 'be'],
  ['the other side', 'Right knee osteoarthritis is recorded.', 'lk'],
  ['no side', 'Knee osteoarthritis is recorded.', 'lk'],
  ['an end in place of a date', 'Potassium was 4.1 mmol/L to 3 February 2021.', 'k'],
  ['a limit in place of a date', 'Potassium was 4.1 mmol/L by 3 February 2021.', 'k'],
  ['a purpose as a problem', 'Aspirin is listed, stroke is recorded.', 'asp'],
  ['a reaction as a problem', 'Allergy to penicillin, rash is recorded.', 'p'],
  ['worse', 'Left knee osteoarthritis is worsening.', 'lk'],
  ['a stop that nobody wrote', 'Metformin 500 mg was stopped.', 'm'],
  ['a plan as done', 'Colonoscopy was recorded.', 'hy'],
  ['letters of another script', 'Tуpe 2 diabetes is recorded.', 'd'],
  ['signs that do not show', 'Type 2 diabetes is re\u200Bcorded.', 'd'],
  ['a question', 'Type 2 diabetes is recorded?', 'd'],
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
