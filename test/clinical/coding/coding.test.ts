import { test } from 'tap'
import { checkFact, type CheckedFact } from '../../../clinical/coding/checks.ts'
import { codeFact, type CodedWords } from '../../../clinical/coding/coding.ts'
import { rateConfidence, type Evidence } from '../../../clinical/coding/confidence.ts'
import { parseNumber, parseRange } from '../../../clinical/coding/printed-numbers.ts'

const words = (fact: Partial<CodedWords> & Pick<CodedWords, 'type' | 'text'>): CodedWords => ({
  status: 'present',
  value: null,
  unit: null,
  concept: null,
  detail: {},
  ...fact,
})
const codeOf = (fact: Partial<CodedWords> & Pick<CodedWords, 'type' | 'text'>) => {
  const { selected } = codeFact(words(fact))
  return selected === null ? null : `${selected.system} ${selected.code}`
}

test('the row that the words matched gives the code', (t) => {
  t.equal(codeOf({ type: 'condition', text: 'HTN', concept: 'conditions:hypertension' }), 'SNOMED 38341003')
  t.equal(codeOf({ type: 'medication', text: 'Panadol', concept: 'medications:paracetamol' }), 'RxNorm 161')
  t.equal(codeOf({ type: 'allergy', text: 'penicillin', concept: 'allergens:penicillin' }), 'SNOMED 91936005')
  t.equal(codeOf({ type: 'immunization', text: 'Boostrix', concept: 'immunizations:115' }), 'CVX 115')
  t.equal(
    codeOf({ type: 'procedure', text: 'appendix removed', concept: 'procedures:appendicectomy' }),
    'SNOMED 80146002',
  )
  t.equal(
    codeOf({ type: 'condition', text: 'resistant hypertension', concept: 'conditions:resistant-hypertension' }),
    'ICD-10-CM I1A.0',
    'the next system where the first has none',
  )
  t.end()
})

test('the unit decides which property was measured', (t) => {
  const glucose = { type: 'lab_result', text: 'Glucose', concept: 'observations:glucose' } as const
  t.not(codeOf({ ...glucose, value: '5.4', unit: 'mmol/L' }), codeOf({ ...glucose, value: '97', unit: 'mg/dL' }))
  t.equal(codeOf({ ...glucose, value: '5.4', unit: 'kg' }), null, 'a unit that does not fit gives no code')
  t.ok(codeFact(words({ ...glucose, value: '5.4', unit: 'kg' })).candidates.length > 0, 'but candidates')
  t.equal(
    codeOf({ type: 'lab_result', text: 'Haemoglobin', value: '131', unit: 'g/L', concept: 'observations:haemoglobin' }),
    'LOINC 718-7',
  )
  t.end()
})

test('words that no rule knew are searched, and only a clear find is taken', (t) => {
  t.equal(codeOf({ type: 'condition', text: 'Type 2 Diabetes' }), 'SNOMED 44054006')
  t.equal(codeOf({ type: 'immunization', text: 'Influenza' }), 'CVX 88', 'the unspecified vaccine')
  const vague = codeFact(words({ type: 'condition', text: 'bad type 2 diabetes in the feet' }))
  t.equal(vague.selected, null)
  t.equal(codeOf({ type: 'condition', text: 'zzz' }), null)
  t.equal(codeOf({ type: 'condition', text: '' }), null)
  t.end()
})

test('a code that says more or less than the words is only offered', (t) => {
  const ct = codeFact(words({ type: 'procedure', text: 'CT chest with contrast', concept: 'procedures:ct-chest' }))
  t.equal(ct.selected, null)
  t.match(ct.candidates, [{ system: 'SNOMED', isEquivalent: false }])
  t.end()
})

test('a row that matched a part of the words is a wider thing and is only offered', (t) => {
  const codeAs = (text: string, concept: string) => codeOf({ type: 'condition', text, concept })
  t.equal(codeAs('Diabetic foot infection', 'conditions:diabetic-foot-ulcer'), null)
  t.equal(codeAs('Second degree burn of arm', 'conditions:burn'), null)
  t.equal(codeAs('Perennial allergic rhinitis', 'conditions:allergic-rhinitis'), 'SNOMED 446096008', 'its own term')
  t.equal(
    codeAs('mild hypertension on the left', 'conditions:hypertension'),
    'SNOMED 38341003',
    'how and where change nothing',
  )
  t.end()
})

test('that there are no allergies has a code of its own; a denied allergy keeps its substance', (t) => {
  t.equal(codeOf({ type: 'allergy', text: 'NKDA', status: 'negated' }), 'SNOMED 409137002')
  t.equal(codeOf({ type: 'allergy', text: 'Nil known', status: 'negated' }), 'SNOMED 716186003')
  t.equal(
    codeOf({ type: 'allergy', text: 'penicillin', status: 'negated', concept: 'allergens:penicillin' }),
    'SNOMED 91936005',
  )
  t.end()
})

test('numbers and ranges as reports print them', (t) => {
  t.same(parseNumber('1,250'), { value: 1250, comparator: null })
  t.same(parseNumber('≤ 0.5'), { value: 0.5, comparator: '<=' })
  t.same(parseNumber('<5'), { value: 5, comparator: '<' })
  for (const text of ['132/84', 'positive', '1-2', '', '5 mg', '1,25']) t.equal(parseNumber(text), null, text)
  t.same(parseRange('(3.5 - 5.2)'), { low: 3.5, high: 5.2 })
  t.same(parseRange('135–145 mmol/L'), { low: 135, high: 145 })
  t.same(parseRange('< 5.5'), { low: null, high: 5.5 })
  t.same(parseRange('>60'), { low: 60, high: null })
  for (const text of ['negative', '5.2 - 3.5', '', null]) t.equal(parseRange(text), null, String(text))
  t.end()
})

const potassium: CheckedFact = {
  type: 'lab_result',
  status: 'present',
  value: '4.1',
  unit: 'mmol/L',
  referenceRange: '3.5 - 5.2',
  date: { iso: '2021-02-03', printed: '03/02/2021', meaning: 'collected', certainty: 'printed' },
  detail: {},
  concept: 'observations:potassium',
}
const context = { birthDate: '1961-04-09', today: '2026-01-01', file: { contacts: [], lastDay: null } }
const findings = (change: Partial<CheckedFact>) =>
  checkFact({ ...potassium, ...change }, context).map((each) => each.weight)

test('checks find what does not fit', (t) => {
  t.same(findings({}), [])
  t.same(findings({ value: '41' }), ['low'], 'no living person has this')
  t.same(findings({ unit: 'mmHg' }), ['check'], 'not a unit of this test')
  t.same(findings({ detail: { flag: 'H' } }), ['check'], 'flagged high inside the range')
  t.same(findings({ value: '5.9', detail: { flag: 'H' } }), [])
  t.same(findings({ value: '3.1', detail: { flag: 'H' } }), ['check'], 'flagged high below the range')
  const dated = (iso: string, certainty: 'printed' | 'ambiguous' = 'printed') => ({
    date: { iso, printed: iso, meaning: 'collected' as const, certainty },
  })
  t.same(findings(dated('1950')), ['low'], 'before birth')
  t.same(findings(dated('1961')), [], 'the year of birth')
  t.same(findings(dated('2027-01')), ['check'], 'in the future')
  t.same(findings({ ...dated('2027-01'), status: 'hypothetical' }), [], 'a plan may lie ahead')
  t.same(findings(dated('2021-02-03', 'ambiguous')), ['check'])
  t.end()
})

test('confidence follows from what can be checked', (t) => {
  const selected = codeFact(words({ type: 'condition', text: 'Hypertension', concept: 'conditions:hypertension' }))
  const sure: Evidence = {
    type: 'condition',
    strength: 'strong',
    coding: selected,
    checks: [],
    wordConfidence01: 0.96,
    identity: 'name',
  }
  const none = { candidates: [], selected: null }
  const rated = (change: Partial<Evidence>) => rateConfidence({ ...sure, ...change }).confidence
  t.same(rateConfidence(sure), { confidence: 'high', reason: null })
  t.equal(rated({ wordConfidence01: 0.7 }), 'check')
  t.equal(rated({ wordConfidence01: 0.3 }), 'low')
  t.equal(rated({ coding: none }), 'check')
  t.equal(rated({ coding: none, strength: 'weak' }), 'low')
  t.equal(rated({ identity: 'nothing' }), 'check')
  t.equal(rated({ checks: [{ weight: 'low', reason: 'x' }], identity: 'nothing' }), 'low', 'the worst finding counts')
  t.ok(rateConfidence({ ...sure, coding: none }).reason, 'and is told')
  t.end()
})

test('a letter behind a name is a part of it: "A" is an article only before everything else', (t) => {
  const displayOf = (text: string, concept: string | null = null) =>
    codeFact(words({ type: 'condition', text, concept })).selected?.display ?? null
  t.equal(displayOf('Haemophilia A'), 'Hereditary factor VIII deficiency disease (disorder)')
  t.equal(displayOf('Vitamin A deficiency'), null, 'which our terms do not have')
  t.equal(displayOf('Hypertension A', 'conditions:hypertension'), null)
  t.match(displayOf('A hypertension', 'conditions:hypertension'), /^Hypertensive disorder/)
  t.end()
})

test('what the file states first is chosen, also where our own tables offer it again', (t) => {
  const codes = [
    { system: 'CVX', code: '88', display: 'Influenza virus vaccine' },
    { system: 'CVX', code: '111', display: 'influenza, live, intranasal' },
  ]
  const fact = words({
    type: 'immunization',
    text: 'Influenza virus vaccine',
    concept: 'immunizations:88',
    detail: { codes },
  })
  t.equal(codeFact(fact).selected?.code, '88')
  t.end()
})
