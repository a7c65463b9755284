/** What is said of a condition, in many wordings: whether it is there, and whose it is. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { FoundFact } from '../../../clinical/document/found-fact.ts'
import { printDocument } from './print-document.ts'

const types = new Set(['condition', 'symptom', 'physical_finding', 'family_history'])
const said = ({ text, status, detail }: FoundFact) =>
  [text.toLowerCase(), status, detail.relationship].filter((part) => part !== undefined).join(' | ')
const statements = (line: string) =>
  findFacts(printDocument(line))
    .facts.filter((fact) => types.has(fact.type))
    .map(said)

type Row = readonly [line: string, ...facts: string[]]

const check = (name: string, rows: readonly Row[]) =>
  test(name, (t) => {
    for (const [line, ...facts] of rows) t.strictSame(statements(line), facts, line)
    t.end()
  })

void check('an answer belongs to what it stands behind', [
  ['Asthma - N', 'asthma | negated'],
  ['Asthma: N', 'asthma | negated'],
  ['Asthma: Y', 'asthma | present'],
  ['Asthma: N  Diabetes: Y', 'asthma | negated', 'diabetes | present'],
  ['Asthma: Y Diabetes: N Epilepsy: N', 'asthma | present', 'diabetes | negated', 'epilepsy | negated'],
  ['Asthma N Diabetes Y Epilepsy N', 'asthma | negated', 'diabetes | present', 'epilepsy | negated'],
  ['Hypertension (Y), Diabetes (N)', 'hypertension | present', 'diabetes | negated'],
  ['Hypertension [N] Gout [Y]', 'hypertension | negated', 'gout | present'],
  ['Epilepsy (-)', 'epilepsy | negated'],
  ['Epilepsy: no', 'epilepsy | negated'],
  ['Epilepsy = no', 'epilepsy | negated'],
  ['Epilepsy – nil', 'epilepsy | negated'],
  ['Depression: denies', 'depression | negated'],
  ['Depression - denied', 'depression | negated'],
  ['Depression: never', 'depression | negated'],
  ['Anxiety: none', 'anxiety | negated'],
  ['Jaundice: absent', 'jaundice | negated'],
  ['Hepatitis C: negative', 'hepatitis c | negated'],
  ['Migraine: yes', 'migraine | present'],
  ['Migraine: confirmed', 'migraine | present'],
  ['Tuberculosis? No', 'tuberculosis | negated'],
  ['Tuberculosis? Yes', 'tuberculosis | present'],
  ['Seizures ......... No', 'seizures | negated'],
  ['Gout: No, Psoriasis: Yes, Asthma: No', 'gout | negated', 'psoriasis | present', 'asthma | negated'],
  ['Fever: No. Cough: Yes. Rash: No.', 'fever | negated', 'cough | present', 'rash | negated'],
  ['Heart disease: No Diabetes: Yes', 'heart disease | negated', 'diabetes | present'],
  ['Kidney disease: N  Liver disease: N', 'kidney disease | negated', 'liver disease | negated'],
  ['Thyroid problems? No. Gout? Yes.', 'thyroid problems | negated', 'gout | present'],
  ['Diabetes: yes (2010), asthma: no', 'diabetes | present', 'asthma | negated'],
  ['Hypertension: yes - controlled. Stroke: no', 'hypertension | present', 'stroke | negated'],
  ['Diabetes: Yes Type: 2', 'diabetes | present'],
  ['Stroke/TIA: N', 'stroke | negated', 'tia | negated'],
  ['Nausea, vomiting, diarrhoea: denies', 'nausea | negated', 'vomiting | negated', 'diarrhoea | negated'],
  ['Nausea: denies. Vomiting: reports.', 'nausea | negated', 'vomiting | present'],
  ['Cough: no fever', 'cough | present', 'fever | negated'],
])

void check('questions are answered by what follows them, or by nobody', [
  ['Do you have asthma? No', 'asthma | negated'],
  ['Do you have asthma? Yes', 'asthma | present'],
  ['Do you have asthma?'],
  ['Have you ever had a stroke? Never.', 'stroke | negated'],
  ['Have you had pneumonia? Yes, in 2015', 'pneumonia | present'],
  ['Do you suffer from epilepsy or migraine? No', 'epilepsy | negated', 'migraine | negated'],
  ['Do you have gout? No Do you have asthma? Yes', 'gout | negated', 'asthma | present'],
  ['Asthma: Yes / No'],
  ['Asthma Y/N'],
  ['Asthma (Yes/No): No', 'asthma | negated'],
  ['Asthma (Y/N): Y', 'asthma | present'],
  ['Asthma ● Yes ○ No', 'asthma | present'],
  ['Asthma ○ Yes ● No', 'asthma | negated'],
  ['Epilepsy: not asked'],
  ['Epilepsy: N/A'],
  ['Epilepsy: unknown', 'epilepsy | uncertain'],
  ['Epilepsy: unsure', 'epilepsy | uncertain'],
  ['Diabetes [ ] Yes [x] No', 'diabetes | negated'],
  ['Diabetes [x] Yes [ ] No', 'diabetes | present'],
  ['Diabetes ☐ Yes ☐ No\nAsthma ☒ Yes ☐ No', 'asthma | present'],
  ['Diabetes ☒ Yes ☐ No  Gout ☐ Yes ☒ No', 'diabetes | present', 'gout | negated'],
  ['Diabetes Yes ☐ No ☑', 'diabetes | negated'],
  ['Diabetes Yes ☑ No ☐', 'diabetes | present'],
  ['Asthma ✓ Gout ✗', 'asthma | present'],
])

void check('signs', [
  ['Chest pain (-), SOB (+), fever (-)', 'chest pain | negated', 'sob | present', 'fever | negated'],
  ['Chest pain -, SOB +, fever -', 'chest pain | negated', 'sob | present', 'fever | negated'],
  ['Cough +ve, fever -ve', 'cough | present', 'fever | negated'],
  ['+ve cough, -ve fever', 'cough | present', 'fever | negated'],
  ['+fever, -cough, -rash', 'fever | present', 'cough | negated', 'rash | negated'],
  ['+ fever, - cough', 'fever | present', 'cough | negated'],
  ['Cough, fever (-)', 'cough | present', 'fever | negated'],
  ['Nausea/vomiting (-)', 'nausea | negated', 'vomiting | negated'],
  ['Jaundice (−), oedema (+)', 'jaundice | negated', 'oedema | present'],
  ['Oedema ++', 'oedema | present'],
  ['- Fever', 'fever | present'],
  ['Skin: +rash -itch', 'rash | present', 'itch | negated'],
  ['GI: nausea+ vomiting- diarrhoea-', 'nausea | present', 'vomiting | negated', 'diarrhoea | negated'],
  ['Neg for headache, +ve for dizziness', 'headache | negated', 'dizziness | present'],
  ['Pneumonia not present; cough present.', 'pneumonia | negated', 'cough | present'],
  ['Fever +/- rash', 'fever | present', 'rash | present'],
])

void check('lists of past illnesses answer too', [
  [
    'Past medical history\nAsthma - N\nDiabetes - Y\nEpilepsy: no',
    'asthma | negated',
    'diabetes | present',
    'epilepsy | negated',
  ],
  ['PMH: gout, asthma: no', 'gout | uncertain', 'asthma | negated'],
  ['Medical history: asthma (Y), stroke (N)', 'asthma | present', 'stroke | negated'],
  ['Condition\tYes/No\nAsthma\tNo\nDiabetes\tYes', 'asthma | negated', 'diabetes | present'],
  [
    'Past medical history\nHypertension\nType 2 diabetes without complications',
    'hypertension | present',
    'type 2 diabetes without complications | present',
  ],
])

void check('denials in words', [
  ['Seizures have not recurred.', 'seizures | negated'],
  ['Her rash has not returned.', 'rash | negated'],
  ['Pneumonia considered but excluded.', 'pneumonia | negated'],
  ['Pulmonary embolism was suspected but ruled out.', 'pulmonary embolism | negated'],
  ['She was ruled out for myocardial infarction.', 'myocardial infarction | negated'],
  ['CTPA rules out pulmonary embolism.', 'pulmonary embolism | negated'],
  ['Nil chest pain, palpitations or syncope.', 'chest pain | negated', 'palpitations | negated', 'syncope | negated'],
  ['Gallstones were not seen.', 'gallstones | negated'],
  ['No personal history of melanoma.', 'melanoma | negated'],
  ['He has never been diagnosed with epilepsy.', 'epilepsy | negated'],
  ['Pertinent negatives: fever, weight loss', 'fever | negated', 'weight loss | negated'],
  ['No recurrence of atrial fibrillation.', 'atrial fibrillation | negated'],
  ['Denies any history of asthma.', 'asthma | negated'],
  ['There is nothing to suggest meningitis.', 'meningitis | negated'],
  ['No pneumonia, but a small pleural effusion.', 'pneumonia | negated', 'small pleural effusion | present'],
])

void check('what is possible is not asserted', [
  ['Rule out TB', 'tb | uncertain'],
  ['R/O appendicitis', 'appendicitis | uncertain'],
  ['Pneumonia considered but felt unlikely', 'pneumonia | uncertain'],
  ['Pulmonary embolism cannot be excluded.', 'pulmonary embolism | uncertain'],
  ['Appendicitis could not be ruled out.', 'appendicitis | uncertain'],
  ['We were unable to exclude meningitis.', 'meningitis | uncertain'],
  ['Coeliac disease remains on the differential.', 'coeliac disease | uncertain'],
  ['Lupus is yet to be confirmed.', 'lupus | uncertain'],
])

void check('fears, advice and leaflets are nobody’s illness yet', [
  ['She fears cancer.', 'cancer | hypothetical'],
  ['He is worried about dementia.', 'dementia | uncertain'],
  ['He is afraid of a heart attack.', 'heart attack | hypothetical'],
  [
    'Side effects may include nausea, jaundice and liver failure.',
    'nausea | hypothetical',
    'jaundice | hypothetical',
    'liver failure | hypothetical',
  ],
  ['Information leaflet: Diabetes increases the risk of stroke.', 'diabetes | hypothetical', 'stroke | hypothetical'],
  ['Diabetes increases the risk of stroke.', 'diabetes | hypothetical', 'stroke | hypothetical'],
  ['Fact sheet: asthma', 'asthma | hypothetical'],
  ['Counselled about osteoporosis.', 'osteoporosis | hypothetical'],
  ['Untreated, this can lead to liver failure.', 'liver failure | hypothetical'],
  ['Seek help should she develop jaundice.', 'jaundice | hypothetical'],
])

void check('over is over, even of what mostly lasts', [
  ['Migraines resolved', 'migraines | historical'],
  ['Her depression has resolved.', 'depression | historical'],
  ['Assessment\nOtitis media resolved', 'otitis media | historical'],
  ['Assessment\nOtitis media - resolved', 'otitis media | historical'],
  ['Asthma as a child', 'asthma | historical'],
  ['He had asthma as a child.', 'asthma | historical'],
  ['As a child she had eczema.', 'eczema | historical'],
  [
    'Past medical history\nAsthma (childhood)\nDepression, resolved\nHypertension',
    'asthma | historical',
    'depression | historical',
    'hypertension | present',
  ],
  ['Problem\tStatus\nAsthma\tResolved\nDiabetes\tActive', 'asthma | historical', 'diabetes | present'],
  ['Hypertension, pneumonia resolved.', 'hypertension | present', 'pneumonia | historical'],
  ['Her cellulitis has not resolved.', 'cellulitis | present'],
  ['Cellulitis partially resolved.', 'cellulitis | present'],
  ['She grew out of epilepsy.', 'epilepsy | historical'],
  ['Asthma since childhood.', 'asthma | present'],
])

void check('each illness of the family is its own relative’s', [
  [
    'Family history: father – hypertension and CVA, paternal aunt breast cancer',
    'hypertension | family | father',
    'cva | family | father',
    'breast cancer | family | paternal aunt',
  ],
  ['Family history: mother T2DM; siblings healthy', 't2dm | family | mother'],
  ["Mother's brother had MI.", 'mi | family | maternal uncle'],
  ['His father’s mother had dementia.', 'dementia | family | paternal grandmother'],
  ["Aunt on her father's side had ovarian cancer.", 'ovarian cancer | family | paternal aunt'],
  ["Wife's mother has diabetes."],
  ['His mother and two sisters had breast cancer.', 'breast cancer | family | mother and sisters'],
  ['Bowel cancer in her paternal aunt.', 'bowel cancer | family | paternal aunt'],
  ['Family history\nBowel cancer in a paternal uncle', 'bowel cancer | family | paternal uncle'],
  ['Family history\nMI (father), stroke (mother)', 'mi | family | father', 'stroke | family | mother'],
  [
    'Family history\nDiabetes - mother, hypertension - father',
    'diabetes | family | mother',
    'hypertension | family | father',
  ],
  [
    'Family history\nDiabetes: mother, sister. Hypertension: father',
    'diabetes | family | mother, sister',
    'hypertension | family | father',
  ],
  ['FHx: Mo: T2DM, Fa: MI', 't2dm | family | mother', 'mi | family | father'],
  [
    'FHx: MGM - stroke, PGF - bowel cancer',
    'stroke | family | maternal grandmother',
    'bowel cancer | family | paternal grandfather',
  ],
  ['Family history\nMother\tBreast cancer\t45', 'breast cancer | family | mother'],
  ['Family history\nBreast cancer\tMother\t45', 'breast cancer | family | mother'],
  ['Strong family history of bowel cancer.', 'bowel cancer | family'],
  ['Father died of lung cancer at 60, mother alive and well.', 'lung cancer | family | father'],
  ['Family history: mother: no diabetes', 'diabetes | negated | mother'],
  ['Family history of glaucoma: No'],
  ['Family history of glaucoma: Yes', 'glaucoma | family'],
  ['Her stepfather has COPD.'],
  ['Diabetes: mother and brother', 'diabetes | family | mother and brother'],
  ['Stroke - father at 60', 'stroke | family | father'],
  ['Twin B: jaundice'],
  ['Lives with her husband. Asthma: no', 'asthma | negated'],
  ['Mother has asthma, patient has eczema.', 'asthma | family | mother', 'eczema | present'],
  ['The sister of the patient has asthma.', 'asthma | family | sister'],
])

void check('lists under a label take its sense, each of them', [
  ['Negative: fever, cough. Positive: headache.', 'fever | negated', 'cough | negated', 'headache | present'],
  ['Yes: hypertension. No: asthma, epilepsy.', 'hypertension | present', 'asthma | negated', 'epilepsy | negated'],
  [
    'Resolved: pneumonia, shingles, otitis media. Active: gout.',
    'pneumonia | historical',
    'shingles | historical',
    'otitis media | historical',
    'gout | present',
  ],
  ['Pneumonia (resolved), COPD', 'pneumonia | historical', 'copd | present'],
  ['Differential diagnosis: asthma, COPD', 'asthma | uncertain', 'copd | uncertain'],
  ['Differentials\n1. Pulmonary embolism\n2. Pneumonia', 'pulmonary embolism | uncertain', 'pneumonia | uncertain'],
  ['Working diagnosis: gastroenteritis', 'gastroenteritis | uncertain'],
  ['Denies SOB/N/V', 'sob | negated', 'n/v | negated'],
])

void check('who tells, fears or asks is not who has it', [
  ['Mother denies seizures.', 'seizures | negated'],
  ['Mother reports fever and cough.', 'fever | present', 'cough | present'],
  ['Her mother was worried about meningitis.', 'meningitis | uncertain'],
  ['He wonders if he has ADHD.', 'adhd | uncertain'],
  ['She believes she has Lyme disease.', 'lyme disease | uncertain'],
  ['Seizure free since 2015.', 'seizure | negated'],
  ['Gestational diabetes in previous pregnancy', 'gestational diabetes | historical'],
  ['Any fevers? Yes since Monday.', 'fevers | present'],
  ['This child has asthma.', 'asthma | present'],
  ['Her youngest child has asthma.', 'asthma | family | child'],
])

void check('a denial ends where a grade begins something else', [
  ['No fracture, mild osteoarthritis.', 'fracture | negated', 'mild osteoarthritis | present'],
  ['No midline shift, moderate hydrocephalus.', 'moderate hydrocephalus | present'],
  ['No fever, mild headache or rash.', 'fever | negated', 'mild headache | negated', 'rash | negated'],
  ['No fever, severe headache.', 'fever | negated', 'severe headache | negated'],
  ['Denies fever, mild headache.', 'fever | negated', 'mild headache | negated'],
])

void check('what was queried, doubted or never needed is not there', [
  ['ADHD was queried by her school counsellor in 2003 but never diagnosed.', 'adhd | negated'],
  ['Doubt appendicitis given the CT.', 'appendicitis | uncertain'],
  ['Asthma was never confirmed.', 'asthma | negated'],
  ['There is no doubt that he has gout.', 'gout | present'],
])
