import { test } from 'tap'
import { placeFacts } from '../../../../worker/pipeline/place-facts.ts'
import { mapBytes } from '../../../support/read-bytes.ts'
import { readData, saidIn } from '../../../support/read-data.ts'

const fhirType = 'application/fhir+json'
const cdaType = 'application/hl7-cda+xml'

const readFhir = (...resources: readonly object[]) =>
  readData(JSON.stringify({ resourceType: 'Bundle', entry: resources.map((resource) => ({ resource })) }), fhirType)
const coding = (system: string, code: string, display: string) => ({ coding: [{ system, code, display }] })
const snomed = (code: string, display: string) => coding('http://snomed.info/sct', code, display)
const loinc = (code: string, display: string) => coding('http://loinc.org', code, display)
const patient = {
  resourceType: 'Patient',
  name: [{ use: 'official', family: 'Quist', given: ['Wilhelmina'] }],
  birthDate: '1961-04-09',
}

test('results of FHIR are facts on the very words that the page shows of them', async (t) => {
  const { document, stated, facts } = await readFhir(patient, {
    resourceType: 'Observation',
    status: 'final',
    category: [coding('', 'laboratory', 'Laboratory')],
    code: loinc('718-7', 'Haemoglobin [Mass/volume] in Blood'),
    effectiveDateTime: '2021-02-03T10:15:00+10:00',
    valueQuantity: { value: 131, unit: 'g/L', system: 'http://unitsofmeasure.org', code: 'g/L' },
    referenceRange: [{ low: { value: 120 }, high: { value: 160 } }],
    interpretation: [coding('', 'N', 'Normal')],
  })
  const { placed, refused } = placeFacts(document, stated)
  t.equal(refused, 0)
  const result = placed.find(({ fact }) => fact.type === 'lab_result')
  t.match(result?.fact, {
    text: 'Haemoglobin [Mass/volume] in Blood',
    value: '131',
    unit: 'g/L',
    referenceRange: '120-160',
    date: { iso: '2021-02-03', meaning: 'collected' },
    detail: { codes: [{ system: 'LOINC', code: '718-7' }], ucum: 'g/L' },
  })
  t.same(
    result?.sources.filter(({ role }) => role !== 'detail').map(({ role, quote }) => [role, quote]),
    [
      ['name', 'Haemoglobin [Mass/volume] in Blood'],
      ['value', '131'],
      ['unit', 'g/L'],
      ['reference_range', '120-160'],
      ['date', '2021-02-03'],
    ],
  )
  t.same(
    stated.filter(({ type }) => type === 'identity').map(({ detail, value }) => [detail.identityKind, value]),
    [
      ['name', 'Wilhelmina Quist'],
      ['date_of_birth', '1961-04-09'],
    ],
  )
  t.same(facts, [], 'the rules leave all of it alone')
})

test('what FHIR takes back or denies is never present', async (t) => {
  const condition = (name: string, verification: string, clinical = 'active') => ({
    resourceType: 'Condition',
    code: { text: name },
    verificationStatus: coding('', verification, verification),
    clinicalStatus: coding('', clinical, clinical),
  })
  const found = await readFhir(
    condition('Asthma', 'confirmed'),
    condition('Gout', 'refuted'),
    condition('Epilepsy', 'entered-in-error'),
    condition('Lupus', 'provisional'),
    condition('Measles', 'confirmed', 'resolved'),
    { resourceType: 'AllergyIntolerance', code: snomed('716186003', 'No known allergy') },
    { resourceType: 'AllergyIntolerance', code: coding('', 'no-allergy-info', 'No information about allergies') },
    { resourceType: 'Immunization', status: 'not-done', vaccineCode: { text: 'Influenza' } },
    { resourceType: 'Procedure', status: 'not-done', code: { text: 'Colonoscopy' } },
    { resourceType: 'Procedure', status: 'preparation', code: { text: 'Hip replacement' } },
    {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      doNotPerform: true,
      medicationCodeableConcept: { text: 'Warfarin' },
    },
    { resourceType: 'MedicationStatement', status: 'entered-in-error', medicationCodeableConcept: { text: 'Digoxin' } },
    { resourceType: 'MedicationStatement', status: 'stopped', medicationCodeableConcept: { text: 'Ramipril' } },
    {
      resourceType: 'FamilyMemberHistory',
      status: 'completed',
      relationship: { text: 'Mother' },
      condition: [{ code: { text: 'Breast cancer' } }],
    },
    {
      resourceType: 'Observation',
      status: 'cancelled',
      code: loinc('2951-2', 'Sodium'),
      valueQuantity: { value: 1, unit: 'mmol/L' },
    },
  )
  t.same(Object.fromEntries(saidIn(found)), {
    'No known allergy': 'negated',
    Warfarin: 'negated',
    Ramipril: 'historical',
    Asthma: 'present',
    Gout: 'negated',
    Lupus: 'uncertain',
    Measles: 'historical',
    Influenza: 'negated',
    Colonoscopy: 'negated',
    'Hip replacement': 'hypothetical',
    'Breast cancer': 'family',
  })
  t.match(found.document.text, /Epilepsy\tactive, entered in error/, 'it is printed all the same')
  t.same(found.facts, [], 'and no rule picks it up')
})

test('both parts of a blood pressure are one fact, other components each their own', async (t) => {
  const part = (code: string, name: string, value: number, unit: string) => ({
    code: loinc(code, name),
    valueQuantity: { value, unit },
  })
  const { stated } = await readFhir(
    {
      resourceType: 'Observation',
      status: 'final',
      code: loinc('85354-9', 'Blood pressure'),
      component: [part('8480-6', 'Systolic', 132, 'mm[Hg]'), part('8462-4', 'Diastolic', 84, 'mm[Hg]')],
    },
    {
      resourceType: 'Observation',
      status: 'final',
      code: loinc('24331-1', 'Lipid panel'),
      component: [part('2093-3', 'Cholesterol', 5.1, 'mmol/L')],
    },
  )
  t.same(
    stated.map(({ type, text, value }) => [type, text, value]),
    [
      ['vital_sign', 'Blood pressure', '132/84'],
      ['lab_result', 'Cholesterol', '5.1'],
    ],
  )
})

test('a medicine is found where it is kept: in the statement, beside it, or inside of it', async (t) => {
  const medicine = { resourceType: 'Medication', id: 'm1', code: { text: 'Metformin 500 mg' } }
  const found = await readFhir(
    { ...medicine, id: 'beside' },
    {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      medicationReference: { reference: 'Medication/beside' },
    },
    {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      contained: [{ ...medicine, code: { text: 'Ramipril' } }],
      medicationReference: { reference: '#m1' },
    },
    {
      resourceType: 'MedicationRequest',
      status: 'active',
      intent: 'order',
      medication: { concept: { text: 'Digoxin' } },
    },
  )
  t.same(
    saidIn(found).map(([text]) => text),
    ['Metformin 500 mg', 'Ramipril', 'Digoxin'],
  )
})

test('a bundle about two people says of each fact whose it is', async (t) => {
  const about = (id: string, name: string) => ({
    resourceType: 'Condition',
    subject: { reference: `Patient/${id}` },
    code: { text: name },
  })
  const { stated } = await readFhir(
    { ...patient, id: 'a' },
    { resourceType: 'Patient', id: 'b', name: [{ family: 'Other', given: ['Ann'] }] },
    about('a', 'Asthma'),
    about('b', 'Gout'),
  )
  const [own, other] = ['Asthma', 'Gout'].map((name) => stated.find(({ text }) => text === name)?.detail.subject)
  t.ok(own !== undefined && other !== undefined && own !== other)
  t.equal(stated.find(({ value }) => value === 'Ann Other')?.detail.subject, other)
})

const cda = (sections: string, header = '') =>
  `<ClinicalDocument xmlns="urn:hl7-org:v3"><recordTarget><patientRole><patient><name><given>Wilhelmina</given><family>Quist</family></name><birthTime value="19610409"/></patient></patientRole></recordTarget>${header}
<component><structuredBody>${sections}</structuredBody></component></ClinicalDocument>`
const section = (code: string, title: string, text: string, ...entries: string[]) =>
  `<component><section><code code="${code}" codeSystem="2.16.840.1.113883.6.1"/><title>${title}</title><text>${text}</text>${entries.map((entry) => `<entry>${entry}</entry>`).join('')}</section></component>`
const problem = (code: string, name: string, rest = '', attributes = '') =>
  `<act><entryRelationship><observation ${attributes}><effectiveTime><low value="2010"/></effectiveTime><value xsi:type="CD" code="${code}" codeSystem="2.16.840.1.113883.6.96" displayName="${name}"/>${rest}</observation></entryRelationship></act>`

test('CDA is read by its entries, and by its narrative where that says more', async (t) => {
  const found = await readData(
    cda(
      section(
        '11450-4',
        'Problems',
        '<list><item>Asthma since 2010</item><item>No gout</item></list>',
        problem('195967001', 'Asthma'),
        problem('90560007', 'Gout', '', 'negationInd="true"'),
      ) +
        section(
          '10164-2',
          'History of present illness',
          '<paragraph>She has type 2 diabetes and takes metformin 500 mg twice daily.</paragraph>',
        ),
    ),
    cdaType,
  )
  t.same(saidIn(found), [
    ['Asthma', 'present'],
    ['Gout', 'negated'],
  ])
  t.match(found.document.text, /• Asthma since 2010\n• No gout\n/, 'the narrative is there to be read')
  t.same(
    found.facts.map(({ text }) => text),
    ['type 2 diabetes', 'metformin'],
  )
})

test('what a narrative has struck out is taken back', async (t) => {
  const found = await readData(
    cda(
      section(
        '10164-2',
        'History of present illness',
        '<paragraph>She takes <content revised="delete">warfarin 5 mg daily</content> and metformin 500 mg daily.</paragraph><paragraph>She has <s>asthma</s> and gout.</paragraph>',
      ),
    ),
    cdaType,
  )
  t.same(
    found.facts.map(({ text, status }) => [text, status]),
    [
      ['warfarin', 'historical'],
      ['metformin', 'present'],
      ['gout', 'present'],
    ],
  )
})

test('a concern of CDA that was entered in error counts for nothing, one that is over is history', async (t) => {
  const over =
    '<entryRelationship><observation><code code="33999-4"/><value displayName="Resolved"/></observation></entryRelationship>'
  const found = await readData(
    cda(
      section(
        '11450-4',
        'Problems',
        '',
        problem('195967001', 'Asthma').replace('<act>', '<act><statusCode code="nullified"/>'),
        problem('14189004', 'Measles', over),
        problem('73211009', 'Diabetes', '', 'nullFlavor="UNK"'),
      ),
    ),
    cdaType,
  )
  t.same(saidIn(found), [['Measles', 'historical']])
})

test('CDA in another encoding, or with a text for a body, is read as well', async (t) => {
  const latin = `<?xml version="1.0" encoding="ISO-8859-2"?>${cda(section('11450-4', 'Problémy', 'ľ'.replace('ľ', '\xb5')))}`
  t.match((await mapBytes(Buffer.from(latin, 'latin1'), cdaType)).text, /ľ/)
  const body = Buffer.from('Seen for asthma.').toString('base64')
  const plain = `<ClinicalDocument><component><nonXMLBody><text mediaType="text/plain" representation="B64">${body}</text></nonXMLBody></component></ClinicalDocument>`
  t.match((await mapBytes(plain, cdaType)).text, /Seen for asthma\./)
})
