import { test } from 'tap'
import { readClinicalDocument } from '../../../../worker/pipeline/read/structured/cda/read-cda.ts'
import { readFhir } from '../../../../worker/pipeline/read/structured/fhir/read-fhir.ts'
import type { Flow } from '../../../../worker/pipeline/read/structured/flow.ts'
import { readHl7 } from '../../../../worker/pipeline/read/structured/hl7/read-hl7.ts'
import { layOut } from '../../../../worker/pipeline/read/structured/lay-out.ts'
import { readPlainText } from '../../../../worker/pipeline/read/structured/plain-text.ts'
import { readRichText } from '../../../../worker/pipeline/read/structured/rich-text.ts'

type Reader = (file: Buffer) => Flow

const samples: readonly (readonly [name: string, read: Reader, whole: string, early: string])[] = [
  ['text', readPlainText, 'Sodium 140\nPotassium 4.2\n'.repeat(20), 'Sodium'],
  [
    'RTF',
    readRichText,
    String.raw`{\rtf1\ansi{\fonttbl{\f0\fcharset128 A;}}{\b Sodium} 140\par\trowd a\cell b\cell\row{\footnote x}\u8805? \'93\par}`,
    'Sodium',
  ],
  [
    'CDA',
    readClinicalDocument,
    '<ClinicalDocument><title>Sodium</title><component><structuredBody><component><section><code code="30954-2"/><title>Results</title><text><table><tr><td>a</td></tr></table></text><entry><observation><code displayName="Sodium"/><value value="140" unit="mmol/L"/></observation></entry></section></component></structuredBody></component></ClinicalDocument>',
    'Sodium',
  ],
  [
    'HL7',
    readHl7,
    'MSH|^~\\&|A\rPID|1||1||LEE^ANN||19700101\rOBX|1|NM|1^Sodium^LN||140|mmol/L|135-145||||F|||20200101',
    'LEE',
  ],
]

const textOf = (flow: Flow) =>
  layOut(flow)
    .pages.flatMap(({ words }) => words.map(({ text }) => text))
    .join(' ')

test('a file that is cut off anywhere gives what came before', async (t) => {
  for (const [name, read, whole, early] of samples) {
    for (let length = 1; length < whole.length; length++) {
      const flow = read(Buffer.from(whole.slice(0, length)))
      layOut(flow)
      if (length === whole.length - 1) t.match(textOf(flow), early, name)
    }
  }
})

test('bytes that are turned over never break a reader', async (t) => {
  // The same numbers on every run (Lehmer).
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below
  for (const [name, read, whole] of samples) {
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.from(whole)
      for (let hit = 0; hit < 4; hit++) bytes[random(bytes.length)] = random(256)
      t.doesNotThrow(() => layOut(read(bytes)), name)
    }
  }
})

test('FHIR of any shape is read without trusting any of it', (t) => {
  const shapes: unknown[] = [
    null,
    7,
    'text',
    true,
    [],
    {},
    [[]],
    { coding: 'x' },
    { value: {} },
    [null, 3],
    { reference: '#' },
  ]
  const kinds = [
    'Patient',
    'Observation',
    'Condition',
    'MedicationRequest',
    'AllergyIntolerance',
    'Immunization',
    'Composition',
    'DiagnosticReport',
    'FamilyMemberHistory',
    'Encounter',
    'Procedure',
    'Odd',
  ]
  const fields = [
    'name',
    'code',
    'status',
    'component',
    'valueQuantity',
    'subject',
    'contained',
    'section',
    'condition',
    'text',
    'presentedForm',
    'dosage',
    'period',
    'identifier',
    'referenceRange',
    'category',
    'entry',
    'class',
  ]
  for (const resourceType of kinds) {
    for (const shape of shapes) {
      const resource = { resourceType, ...Object.fromEntries(fields.map((field) => [field, shape])) }
      const bundle = { resourceType: 'Bundle', entry: [{ resource }, { resource: shape }, shape] }
      t.doesNotThrow(
        () => layOut(readFhir(Buffer.from(JSON.stringify(bundle)))),
        `${resourceType} ${JSON.stringify(shape)}`,
      )
    }
  }
  t.end()
})

test('a letter that no database keeps is left out', (t) => {
  const flow = readFhir(Buffer.from('{"resourceType":"Condition","code":{"text":"As\\u0000thma \\ud800"}}'))
  t.equal(flow.entries[0]?.text, 'Asthma \uFFFD')
  t.end()
})
