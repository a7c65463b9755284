/** What is said of people in general is no fact about the one whose paper it is. All lines are invented. */
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { MappedDocument } from '../../../clinical/document/mapped.ts'
import { printDocument } from './print-document.ts'

const administrative = (lines: readonly string[]): MappedDocument => ({
  ...printDocument(lines),
  documentClass: 'administrative',
})
const named = (document: MappedDocument) =>
  findFacts(document)
    .facts.filter(({ type, status }) => type !== 'identity' && type !== 'encounter' && status !== 'hypothetical')
    .map(({ text, status }) => `${text.toLowerCase()} | ${status}`)

void test('a sentence about people in general states nothing', (t) => {
  for (const line of [
    'Our programs are for people living with osteoarthritis, heart failure or COPD.',
    'This study is open to adults with type 2 diabetes who take metformin.',
    'High blood pressure raises your risk of stroke and kidney disease.',
    'Smoking increases the risk of lung cancer and emphysema.',
    'Risks include infection, bleeding and deep vein thrombosis.',
    'Side effects may include nausea, dizziness and rash.',
    'Ask your pharmacist before you take ibuprofen or pseudoephedrine.',
    'Rabies and hepatitis A vaccines given overseas may not be shown.',
    'Reference range for persons not taking warfarin.',
    'Anyone with asthma or epilepsy should carry this card.',
  ]) {
    t.strictSame(named(printDocument(line)), [], line)
  }
  t.end()
})

void test('a sentence that comes back to the patient does state something', (t) => {
  for (const [line, ...facts] of [
    ['Like many patients with diabetes he has peripheral neuropathy.', 'peripheral neuropathy | present'],
    ['She is at increased risk of falls and has osteoporosis.', 'osteoporosis | present'],
    ['Patient with asthma.', 'asthma | present'],
    ['A 64 year old woman with COPD.', 'copd | present'],
  ] as const) {
    t.strictSame(
      named(printDocument(line)).filter((fact) => !fact.startsWith('falls')),
      facts,
      line,
    )
  }
  t.end()
})

void test('an administrative letter tells of cover and prices; what it dates or lists under a clinical heading holds', (t) => {
  t.strictSame(
    named(
      administrative([
        'Your cover will no longer include joint replacement, cataracts and dialysis.',
        'Waiting periods apply to asthma, diabetes and depression.',
        'Dental scale and clean\t114\t$62.00',
      ]),
    ),
    [],
  )
  const held = named(
    administrative([
      'Date\tProcedure\tFee',
      '12/03/2024\tColonoscopy\t$450.00',
      'Current medications',
      'Metformin 500 mg twice daily',
    ]),
  )
  t.ok(
    held.some((fact) => fact.startsWith('metformin')),
    held.join('; '),
  )
  t.ok(
    held.some((fact) => fact.startsWith('colonoscopy')),
    held.join('; '),
  )
  t.end()
})

void test('nobody else may make a fact of what is said in general', (t) => {
  const document = printDocument('Risks include infection and bleeding. She has asthma.')
  const { ruledOut } = findFacts(document)
  const isRuledOut = (word: string) => {
    const at = document.text.indexOf(word)
    return ruledOut.some(({ start, end }) => start <= at && at < end)
  }
  t.ok(isRuledOut('infection'))
  t.notOk(isRuledOut('asthma'))
  t.end()
})
