// Longer than 300 lines because it is one table of whole documents.
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { compareIdentity } from '../../../clinical/identity/identity-gate.ts'
import { printedIdentity } from '../../../clinical/identity/printed-identity.ts'
import { placeFacts } from '../../../worker/pipeline/place-facts.ts'
import { mapText } from '../../support/map-text.ts'

/** Documents as they come, whole, against the profile that they were given to. */
type Case = readonly [what: string, profile: readonly [name: string, born: string | null], document: string]

const jane = ['Jane Marie Citizen', '1961-04-09'] as const
const kid = ['Oliver James Hartley', '2019-06-14'] as const
const mai = ['Nguyen Thi Mai', '1978-11-30'] as const

const others: readonly Case[] = [
  ['another person altogether', jane, 'Patient: Robert Brown\nDOB: 12/01/1950\n\nDiagnosis: Asthma'],
  ['the same surname, another given name', jane, 'Patient: Peter Citizen\nDOB: 17/08/1959\nDiagnosis: Gout'],
  ['the same surname, nothing of a birth date', jane, 'Patient: Peter Citizen\nDiagnosis: Gout'],
  ['a twin', jane, 'Patient: Joan Marie Citizen\nDOB: 09/04/1961\nDiagnosis: Gout'],
  ['a twin by surname first', kid, 'HARTLEY, Oscar James\nDOB: 14/06/2019\nDiagnosis: Croup'],
  ['the same birthday, another name', jane, 'Patient: Susan Walker\nDOB: 09/04/1961\nDiagnosis: Gout'],
  ['father and son of one name', ['John Smith', '1988-02-02'], 'Patient: John Smith\nDOB: 03/05/1957\nDiagnosis: Gout'],
  ['the same name in another year', jane, 'Jane Citizen  DOB 09/04/1991\nDiagnosis: Gout'],
  ['the same name, day and month that cannot be swapped', jane, 'Jane Citizen  DOB 19/04/1961\nDiagnosis: Gout'],
  ['a sister-in-law by initial', jane, 'Patient: K. Citizen\nDOB: 11/11/1970\nDiagnosis: Gout'],
  ['a mother, where the child is the profile', kid, 'Patient: Emma Hartley\nDOB: 02/03/1990\nGestational diabetes.'],
  [
    'a child, where the mother is the profile',
    ['Emma Hartley', '1990-03-02'],
    'Patient: Oliver Hartley\nDOB: 14/06/2019\nMother: Emma Hartley\nDiagnosis: Croup',
  ],
  [
    'a baby that has no name yet, in the mother’s profile',
    ['Emma Hartley', '1990-03-02'],
    'Baby of Emma Hartley\nDOB: 14/06/2019\nBirth weight 3.4 kg\nNeonatal jaundice',
  ],
  [
    'a husband whose next of kin is the profile',
    jane,
    'Patient: Peter Citizen\nNext of kin: Jane Citizen (wife)\nDiagnosis: Gout',
  ],
  [
    'a letter to the profile about the child',
    ['Emma Hartley', '1990-03-02'],
    'Emma Hartley\n12 High Street\nSpringfield NSW 2000\n\nDear Emma\n\nRE: Oliver Hartley, DOB 14/06/2019\n\nOliver was seen for asthma.',
  ],
  [
    'the doctor has the name of the profile',
    ['Sarah Wong', '1975-05-05'],
    'Dr Sarah Wong\nHigh Street Surgery\n\nRe: Michael Petrov, DOB 01/02/1944\n\nDiagnosis: Atrial fibrillation',
  ],
  [
    'the second page is another patient’s',
    jane,
    'PATHOLOGY REPORT\nPatient: Jane Citizen\nDOB: 09/04/1961\n\nSodium 140 mmol/L (135 - 145)\nPage 1 of 1\n\fPATHOLOGY REPORT\nPatient: Robert Brown\nDOB: 12/01/1950\n\nPotassium 6.9 mmol/L (3.5 - 5.0)\nPage 1 of 1',
  ],
  [
    'the second page is a relative’s with the same surname',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nSodium 140 mmol/L\n\fPatient: Peter Citizen\nDOB: 17/08/1959\nPotassium 6.9 mmol/L',
  ],
  [
    'the second page names another by a running head alone',
    jane,
    'Discharge Summary\nPatient: Jane Citizen  DOB: 09/04/1961\nDiagnosis: Gout\n\fBROWN, Robert   MRN 4488123   Page 2\nDiagnosis: Asthma',
  ],
  [
    'the second page has another birth date alone',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout\n\fLaboratory report\nDOB: 12/01/1950\nPotassium 6.9 mmol/L',
  ],
  [
    'a list of a whole family',
    ['Emma Hartley', '1990-03-02'],
    'Family immunisation statement\n\nName: Emma Hartley   DOB: 02/03/1990\nInfluenza vaccine 01/05/2023\n\nName: Oliver Hartley   DOB: 14/06/2019\nMMR vaccine 14/06/2020',
  ],
  [
    'a ward list',
    jane,
    'Ward 5 handover\nBed\tPatient\tDOB\tProblem\n1\tJane Citizen\t09/04/1961\tPneumonia\n2\tRobert Brown\t12/01/1950\tSepsis',
  ],
  ['a name in other letters', ['王小明', '1980-01-01'], 'Patient: 李大偉\nDOB: 02/02/1970\nDiagnosis: Asthma'],
  ['the same Vietnamese family and middle name', mai, 'Patient: NGUYEN Thi Lan\nDOB: 30/11/1978\nDiagnosis: Gout'],
  ['the same Chinese family name', ['Wei Chen', '1980-01-01'], 'Patient: CHEN Jie\nDiagnosis: Gout'],
  ['a middle name in common with a brother', kid, 'Patient: James Hartley\nDOB: 01/09/2016\nDiagnosis: Croup'],
  [
    'a name that is half of a double name, another birth date',
    ['Anna Smith-Jones', '1990-01-01'],
    'Patient: Anna Jones\nDOB: 05/06/1982\nDiagnosis: Gout',
  ],
  [
    'a nickname shared, another birth date',
    ['William Baker', '1950-01-01'],
    'Patient: Bill Baker\nDOB: 02/02/1981\nDiagnosis: Gout',
  ],
  [
    'a hospital label of another in the corner',
    jane,
    'UR: 4488123\nBROWN, ROBERT\n12/01/1950  M\n14 Low Road Springfield\n\nConsent form\nProcedure: Appendectomy',
  ],
  [
    'a wrong sex and another given name one letter apart',
    ['Francis Doyle', '1970-01-01'],
    'Patient: Frances Doyle   Sex: F\nDOB: 13/07/1974\nDiagnosis: Gout',
  ],
  [
    'a summary of two by a table of columns',
    jane,
    'Name:\tJane Citizen\tName:\tRobert Brown\nDOB:\t09/04/1961\tDOB:\t12/01/1950\nDiagnosis:\tGout\tDiagnosis:\tAsthma',
  ],
  [
    'a forwarded report: the first page of the profile’s, the report another’s',
    jane,
    'Re: Jane Citizen\nDear Dr Wong\nPlease find the report enclosed.\n\fName: Brown, Robert\nDate of Birth: 12 Jan 1950\nHistology: adenocarcinoma of the colon',
  ],
  [
    'an answer in a letter named in prose alone',
    jane,
    'Dear Dr Wong,\n\nThank you for referring Robert Brown, aged 75, who has asthma and gout.\n\nYours sincerely',
  ],
  [
    'a second page labelled for another, without a birth date',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout\n\fPatient: Robert Brown\nDiagnosis: Asthma',
  ],
  [
    'a second page labelled for a brother, without a birth date',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout\n\fPatient: Peter Citizen\nDiagnosis: Asthma',
  ],
  [
    'two labelled patients on one page',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout\nPatient: Robert Brown\nDiagnosis: Asthma',
  ],
  [
    'a son who has the father’s name in the middle',
    ['James Hartley', '1985-01-01'],
    'Patient: Oliver James Hartley\nDiagnosis: Croup',
  ],
  ['another middle name', jane, 'Patient: Jane Elizabeth Citizen\nDiagnosis: Gout'],
  ['a junior', ['John Smith Sr', '1957-05-03'], 'Patient: John Smith Jr\nDiagnosis: Gout'],
  ['the surname alone', jane, 'Patient name: Mr Citizen\nDiagnosis: Gout'],
  [
    'a twin with nearly the same name',
    ['Jayden Hartley', '2019-06-14'],
    'Patient: Hayden Hartley\nDOB: 14/06/2019\nDiagnosis: Croup',
  ],
  [
    'another name in Chinese letters without a birth date',
    ['王小明', '1980-01-01'],
    'Patient: 李大偉\nDiagnosis: Asthma',
  ],
  [
    'a letter that says in its first line whom it is about',
    jane,
    'Dear Dr Wong,\n\nI reviewed Mr Robert Brown in my clinic today. He has asthma.\n\nYours sincerely',
  ],
  [
    'a name and an age at the head of a note',
    jane,
    'ED note\nRobert Brown 45M\nPresenting complaint: chest pain\nDiagnosis: Gout',
  ],
  ['“is a 45-year-old man”', jane, 'History of present illness\nRobert Brown is a 45-year-old man with asthma.'],
  [
    'a list of specimens of several people',
    jane,
    'Worklist\nName\tMRN\tResult\nCitizen, Jane\t1234567\tHIV negative\nBrown, Robert\t7654321\tHIV positive',
  ],
  ['Mr where the profile is a wife of the same initial', jane, 'Re: Mr J Citizen, DOB 03/03/1958\nDiagnosis: Gout'],
]

const own: readonly Case[] = [
  ['as the profile has it', jane, 'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout'],
  ['surname first, in capitals', jane, 'CITIZEN, Jane Marie\nDOB: 09/04/1961\nDiagnosis: Gout'],
  [
    'a nickname and the birth date',
    ['Elizabeth Ann Turner', '1948-12-01'],
    'Patient: Betty Turner\nDOB: 01/12/1948\nDiagnosis: Gout',
  ],
  ['day and month the American way', jane, 'Patient: Jane Citizen\nDOB: 04/09/1961\nDiagnosis: Gout'],
  [
    'the doctor in the head, the requester beside',
    jane,
    'Dr Sarah Wong MBBS\nHigh Street Surgery\nPatient: Jane Citizen   DOB: 09/04/1961\nRequested by: Dr Michael Petrov\nCopy to: Dr Alan Reed\nSodium 140 mmol/L',
  ],
  [
    'next of kin with a birth date',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nNext of kin: Peter Citizen (husband) DOB: 17/08/1959\nDiagnosis: Gout',
  ],
  [
    'next of kin in a block of its own',
    jane,
    'Patient details\nName: Jane Citizen\nDOB: 09/04/1961\n\nNext of kin\nName: Peter Citizen\nRelationship: Husband\nDOB: 17/08/1959\nPhone: 0400 000 000\n\nDiagnosis: Gout',
  ],
  [
    'emergency contact in a block of its own',
    jane,
    'Name: Jane Citizen\nDOB: 09/04/1961\nEmergency contact: Robert Brown\nPhone: 0400 000 000\nDiagnosis: Gout',
  ],
  [
    'the mother in a baby’s record',
    kid,
    'Child: Oliver Hartley\nDOB: 14/06/2019\nMother: Emma Hartley  DOB: 02/03/1990\nFather: Thomas Hartley\nDiagnosis: Croup',
  ],
  [
    'the mother’s details in a newborn’s summary',
    kid,
    'Newborn summary\nBaby: Oliver Hartley\nDate of birth: 14/06/2019\nMother’s name: Emma Hartley\nMother’s DOB: 02/03/1990\nBirth weight: 3.4 kg',
  ],
  [
    'the partner in an obstetric record',
    ['Emma Hartley', '1990-03-02'],
    'Antenatal record\nName: Emma Hartley\nDOB: 02/03/1990\nPartner: Thomas Hartley\nPartner DOB: 05/05/1988\nBlood group O positive',
  ],
  [
    'a guardian who signs',
    kid,
    'Patient: Oliver Hartley\nDOB: 14/06/2019\nParent/Guardian: Emma Hartley\nSigned: Emma Hartley\nMMR vaccine given',
  ],
  [
    'an insured person who is another',
    kid,
    'Patient: Oliver Hartley  DOB: 14/06/2019\nPolicy holder: Thomas Hartley  DOB: 05/05/1988\nDiagnosis: Croup',
  ],
  [
    'a married name and the maiden name beside it',
    ['Anna Jones', '1990-01-01'],
    'Patient: Anna Jones (nee Smith)\nDOB: 01/01/1990\nDiagnosis: Gout',
  ],
  [
    'a double name, hyphen lost',
    ['Anna Smith-Jones', '1990-01-01'],
    'Patient: Anna SMITH JONES\nDOB: 01/01/1990\nDiagnosis: Gout',
  ],
  ['Vietnamese order', mai, 'Patient: Mai Thi NGUYEN\nDOB: 30/11/1978\nDiagnosis: Gout'],
  ['Vietnamese, accents and the given name first', mai, 'Patient: Nguyễn Thị Mai\nDOB: 30/11/1978\nDiagnosis: Gout'],
  ['Chinese order', ['Wei Chen', '1980-01-01'], 'Patient: CHEN Wei\nDOB: 01/01/1980\nDiagnosis: Gout'],
  [
    'Chinese name in two syllables',
    ['Xiaoming Wang', '1980-01-01'],
    'Patient: WANG, Xiao Ming\nDOB: 01/01/1980\nDiagnosis: Gout',
  ],
  ['Chinese letters', ['王小明', '1980-01-01'], 'Patient: 王小明\nDOB: 01/01/1980\nDiagnosis: Asthma'],
  [
    'the name on each page',
    jane,
    'Patient: Jane Citizen  DOB: 09/04/1961  Page 1 of 2\nDiagnosis: Gout\n\fPatient: Jane Citizen  DOB: 09/04/1961  Page 2 of 2\nDiagnosis: Asthma',
  ],
  [
    'surname alone with a title in the prose',
    jane,
    'Re: Jane Citizen, DOB 09/04/1961\nMrs Citizen was seen today. Jane is well. Dr Brown saw her in May.',
  ],
  [
    'a relative named in the prose',
    jane,
    'Re: Jane Citizen, DOB 09/04/1961\nShe attended with her daughter Amy Citizen. Her husband Peter has gout.',
  ],
  [
    'a laboratory worker who verified',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nSodium 140 mmol/L\nVerified by: Robert Brown\nAuthorised by: Prof Alan Reed',
  ],
  [
    'a pharmacist and prescriber',
    jane,
    'Patient: Jane Citizen\nPrescriber: Michael Petrov\nPharmacist: Robert Brown\nMetformin 500 mg twice daily',
  ],
  [
    'witness and interpreter',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nInterpreter: Maria Rossi\nWitness: Robert Brown\nProcedure: Appendectomy',
  ],
  [
    'a donor and a contact case',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nKidney transplant 2015, living donor: Peter Citizen\nDiagnosis: Gout',
  ],
  [
    'a letter addressed to the patient',
    jane,
    'Mrs Jane Citizen\n12 High Street\nSpringfield NSW 2000\n\nDear Mrs Citizen\n\nYour cholesterol was 5.2 mmol/L.\n\nYours sincerely\nDr Michael Petrov',
  ],
  [
    'a letter addressed to the doctor, who has no title',
    jane,
    'Michael Petrov\nHigh Street Surgery\nSpringfield NSW 2000\n\nDear Michael\n\nRe: Jane Citizen, DOB 09/04/1961\n\nDiagnosis: Gout',
  ],
  ['no name at all', jane, 'Full blood count\nHaemoglobin 140 g/L (120 - 160)'],
  ['an initial and the birth date', jane, 'Patient: J Citizen\nDOB: 09/04/1961\nDiagnosis: Gout'],
  ['a two-figure year', jane, 'Patient: Jane Citizen\nDOB: 09/04/61\nDiagnosis: Gout'],
  [
    'an apostrophe that a printer lost',
    ["Siobhan O'Connor", '1980-01-01'],
    'Patient: OCONNOR, Siobhan\nDOB: 01/01/1980\nDiagnosis: Gout',
  ],
  [
    'a preferred name beside',
    ['Elizabeth Turner', '1948-12-01'],
    'Patient: Elizabeth (Beth) Turner\nPreferred name: Beth\nDOB: 01/12/1948\nDiagnosis: Gout',
  ],
  [
    'who signed on the second page',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout\n\fName: Robert Brown\nDesignation: Registrar\nSignature:',
  ],
  [
    'the doctor’s number beside the doctor’s name',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDoctor: BROWN, Robert\nProvider No: 244528BY\nMRN: 1234567\nDiagnosis: Gout',
  ],
  [
    'a running head with the record number',
    jane,
    'Patient: Jane Citizen\nDOB: 09/04/1961\nDiagnosis: Gout\n\fCITIZEN, Jane   MRN 4488123   Page 2\nDiagnosis: Asthma',
  ],
  [
    'a hospital label',
    jane,
    'UR: 4488123\nCITIZEN, JANE MARIE\n09/04/1961  F\n14 Low Road Springfield\n\nConsent form\nProcedure: Appendectomy',
  ],
  [
    'a cumulative list of one person',
    jane,
    'Results\nPatient\tDate\tResult\nJane Citizen\t01/02/2020\tSodium 140\nJane Citizen\t01/03/2020\tSodium 141',
  ],
  [
    'a relative with an age in the prose',
    jane,
    'Re: Jane Citizen\nHer mother Emma Hartley, aged 60, has diabetes. I also met her son Robert Brown, who is a 30-year-old man.',
  ],
  [
    'a relative with an age where nobody else is named',
    jane,
    'Family history\nHer mother Emma Hartley, aged 60, has diabetes.',
  ],
  [
    'a doctor thanked',
    jane,
    'Dear Robert,\nThank you for referring Jane Citizen, who has gout. I discussed this with Alan Reed.\nRobert Brown is the treating surgeon.',
  ],
  ['a letter of introduction', jane, 'I reviewed Mrs Jane Citizen, a 62-year-old woman, in clinic.'],
  ['a name in two scripts', ['Xiaoming Wang', '1980-01-01'], 'Patient: 王小明\nDOB: 01/01/1980\nDiagnosis: Gout'],
  [
    'also known as',
    ['Anna Jones', '1990-01-01'],
    'Patient: Anna Jones\nAlso known as: Anna Smith\nDOB: 01/01/1990\nDiagnosis: Gout',
  ],
]

function verdictOn([, [fullName, dateOfBirth], source]: Case) {
  const document = mapText(source)
  const { placed } = placeFacts(document, findFacts(document).facts)
  const printed = printedIdentity(placed.map(({ fact, sources }) => ({ ...fact, sources })))
  return compareIdentity(printed, { fullName, displayName: 'me', dateOfBirth })
}

void test('nothing of another person passes without a decision', async (t) => {
  for (const each of others) t.not(verdictOn(each).verdict, 'match', each[0])
})

void test('a document of the person’s own does not wait', async (t) => {
  for (const each of own) t.match(verdictOn(each), { verdict: 'match', reasons: [] }, each[0])
})
