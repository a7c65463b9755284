import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { compareIdentity } from '../../../clinical/identity/identity-gate.ts'
import { printedIdentity } from '../../../clinical/identity/printed-identity.ts'
import { printDocument } from './print-document.ts'

const factsOf = (source: string) => findFacts(printDocument(source)).facts
const unplaced = (source: string) => factsOf(source).map((fact) => ({ ...fact, sources: [] }))
const found = (kind: string) => (source: string) =>
  factsOf(source)
    .filter(({ type, detail }) => type === 'identity' && detail.identityKind === kind)
    .map(({ text, date }) => date?.iso ?? text)
const names = found('name')
const born = '\nDOB: 04/11/1961'

const letterheads = `METRO LABS|DORVEN BIOLABS|Quest Diagnostics|SOUTHBANK PATHOLOGY|Kaiser Permanente|Mount Sinai|ST ELSEWHERE|
  Our Lady Of Mercy|BAYSIDE FAMILY DOCTORS|Riverside Women's Care|Eastern Suburbs Cardiology|Northgate Medical|Westbrook Imaging|
  Corner Chemist|Hilltop Physiotherapy|Pine Valley Clinic|Kirra Beach Skin Clinic|Redwood Pediatrics|Lakeside Urgent Care|
  Emergency Department|DEPARTMENT OF NEUROLOGY|Wattle Grove Village|Sydney, NSW|Atlanta, GA|Gold St|New South Wales|North Carolina|The Alfred|Pacific Heart|Coastal ENT|Blue Cross|Jane Poe RN|
  Tom Roe MD`
const titles = `Immunization History|IMMUNISATION RECORD|Vaccination Certificate|Progress Note|Office Visit|Operative Note|Care Plan|
  Consultation Note|After Visit Summary|Blood Test Results|Full Blood Count|LIPID PANEL|CT Abdomen|MRI Lumbar Spine|Chest X-Ray|
  Past History|Allergies And Adverse Reactions|Well Child Check|Child Immunisation Schedule|Surgical Pathology|Tissue Biopsy|
  Commercial In Confidence|Page One|Bone Densitometry|Lung Function|Diabetes Cycle Of Care|Referral Letter|Discharge Summary|Pre-Admission Questionnaire|Rheumatoid Arthritis`
const listed = (text: string) => text.split('|').map((line) => line.trim())

void test('letterheads and titles of forms above a birth date are nobody', async (t) => {
  for (const line of [...listed(letterheads), ...listed(titles)]) t.strictSame(names(line + born), [], line)
})

void test('a letterhead makes no second person of a file', async (t) => {
  const profile = { fullName: 'Noreen Webb', displayName: 'Mum', dateOfBirth: null }
  for (const line of [...listed(letterheads), 'HARBOUR VIEW', 'Douglas Martin Moyle']) {
    for (const name of ['Patient: WEBB, Noreen', 'Mrs Noreen Webb', 'Noreen Webb']) {
      const { verdict } = compareIdentity(printedIdentity(unplaced(`${line}\n${name}${born}`)), profile)
      t.equal(verdict, 'match', `${line} / ${name}`)
    }
  }
  const two = compareIdentity(printedIdentity(unplaced('Patient: Noreen Webb\nPatient: Jack Jones')), profile)
  t.strictSame(two.reasons, ['several_people'])
})

void test('names in all the forms that are printed', async (t) => {
  for (const name of [
    'Noreen Webb',
    'NOREEN WEBB',
    'WEBB, Noreen',
    'WEBB,NOREEN',
    'Webb, Noreen Anne',
    'WEBB Noreen',
    'Mrs Noreen Webb',
    'Ms. Noreen Webb',
    "Mary-Jane O'Brien-Smith",
    'O’DOWD, Paul',
    'José García Márquez',
    'GARCÍA MÁRQUEZ, José',
    'Ludwig van Beethoven',
    'VAN DER BERG, Jan',
    'van der Berg, Jan',
    'Maria de la Cruz',
    'Fatima al-Rashid',
    'al-Rashid, Fatima',
    'Mohamed bin Salman',
    'Siobhán Ní Dhomhnaill',
    'Zoë Łukasz-Żak',
    'Björk Guðmundsdóttir',
    'NGUYEN Thi Minh',
    'LI, Na',
    'Xi O',
    'J. Smith',
    'John Q. Public',
    "D'ANGELO, Sean",
    'Bill Page',
    'Jack Street',
    'Grace Bishop',
    'Ann Ward',
  ]) {
    for (const label of ['Patient: ', 'Name: ', 'Pt Name: ', 'Patient Name: ', 'Re: ', 'Name (Last, First): '])
      t.strictSame(names(label + name), [name], label + name)
    t.strictSame(names(`${name}, DOB: 04/11/1961`), [name], `${name} before the birth date`)
    t.strictSame(names(name + born), [name], `${name} above the birth date`)
  }
})

void test('single names need a label that asks for a name, or a birth date near', async (t) => {
  t.strictSame(names('Patient Name: Suharto'), ['Suharto'])
  t.strictSame(names(`Patient: Madonna${born}`), ['Madonna'])
  for (const line of ['Patient: Cooperative', 'Patient Name: Unknown', 'Patient Name: TBA', 'Name: Amoxicillin'])
    t.strictSame(names(line), [], line)
})

void test('family and given names that a form asks for one by one', async (t) => {
  for (const form of [
    'Surname: Webb\nGiven names: Noreen Anne',
    'Surname: Webb\tGiven name(s): Noreen Anne',
    'Last name: Webb First name: Noreen Anne',
    'Given name: Noreen Anne\nFamily name: Webb',
    'Surname\tWebb\nGiven names\tNoreen Anne',
  ])
    t.strictSame(names(form), ['Webb, Noreen Anne'], form)
  t.strictSame(names('Surname\tGiven names\tDate of birth'), [])
  t.strictSame(names('Next of kin\nSurname: Webb\nGiven names: Paul'), [])
})

void test('what is beside the name is no part of it', async (t) => {
  for (const line of [
    'Patient: Noreen Webb Date of Birth: 04/11/1961 UR: 123456',
    'Patient: Noreen Webb, Female, 60 years',
    'Patient: Noreen Webb MRN: 123456',
    'Patient: Noreen Webb (F)',
    'Patient: Noreen Webb - 04/11/1961',
    'Regarding: Noreen Webb (DOB 04/11/1961)',
    'Dear Dr Smith, Re: Noreen Webb, DOB 04/11/1961',
  ])
    t.strictSame(names(line), ['Noreen Webb'], line)
})

void test('others whom a form asks for are not the patient', async (t) => {
  for (const lines of [
    'Emergency Contact\nName: Paul Webb\nRelationship: Husband',
    'Next of kin: Paul Webb',
    'Next of Kin\nFull name: Paul Webb',
    'Referring Doctor\nName: Alan Smith',
    'Requesting practitioner:\nName: Alan Smith',
    'Provider name: Alan Smith',
    'Guarantor\nName: Paul Webb',
    'Name\tRelationship\tPhone',
    'Name\tDose\tFrequency',
    'Name\tActive Ingredient',
    'Name: Metoprolol Tartrate',
    'Patient: Denies Chest Pain',
    'Patient: See Below',
    'Re: Blood Test Results',
    'Re: Knee Pain',
  ])
    t.strictSame(names(lines), [], lines)
})

void test('the birth date in all the forms that are printed, and not that of a parent', async (t) => {
  const births = found('date_of_birth')
  for (const line of [
    'DOB 4 November 1961',
    'D.O.B.: 04-11-1961',
    'Noreen Webb D.O.B. 04/11/1961',
    'Date of Birth: 4th Nov 1961',
    'Birth Date: 1961-11-04',
    'DOB: 04.11.61',
    'DOB: 04NOV1961',
    'DOB (Age): 04/11/1961 (60 years)',
    'Baby of Webb\nDOB: 04/11/1961\nMother’s DOB: 04/11/1930',
  ])
    t.strictSame(births(line), ['1961-11-04'], line)
  for (const line of ['Mother’s date of birth: 04/11/1961', 'Father DOB 04/11/1961'])
    t.strictSame(births(line), [], line)
})

void test('record numbers of the patient, not of a sample or a provider', async (t) => {
  const numbers = found('mrn')
  for (const line of [
    'UR: 123456',
    'UR Number: 123456',
    'MRN 123456',
    'URN: 123456',
    'Hosp No: 123456',
    'Patient ID: 123456',
    'ID: 123456',
  ])
    t.strictSame(numbers(line), ['123456'], line)
  for (const line of ['Specimen ID: 123456', 'Provider ID: 123456']) t.strictSame(numbers(line), [], line)
})
