import { test } from 'tap'
import { codeWithSearch } from '../../../clinical/coding/code-search.ts'
import type { CodedWords } from '../../../clinical/coding/coding.ts'
import type { FoundCode, SoughtWords } from '../../../db/queries/terminology.ts'

const fact = (type: CodedWords['type'], text: string, changes: Partial<CodedWords> = {}): CodedWords => ({
  type,
  text,
  status: 'present',
  value: null,
  unit: null,
  concept: null,
  detail: {},
  ...changes,
})

const found = (changes: Partial<FoundCode>): FoundCode => ({
  codeSystem: 'ICD-10-CM',
  code: 'N64.2',
  display: 'Atrophy of breast',
  score01: 1,
  method: 'exact',
  isEquivalent: true,
  ...changes,
})

/** A terminology that answers the same to everything, and remembers what it was asked. */
function terminology(answer: readonly FoundCode[] = []) {
  const asked: (readonly SoughtWords[])[] = []
  const search = (sought: readonly SoughtWords[]) => {
    asked.push(sought)
    return Promise.resolve(sought.map(() => answer))
  }
  return { asked, search }
}

test('what no dictionary has exactly is asked for once, in one question for the whole file', async (t) => {
  const { asked, search } = terminology()
  await codeWithSearch(
    [
      fact('condition', 'Hypertension', { concept: 'conditions:hypertension' }),
      fact('condition', 'Atrophy of the breast'),
      fact('family_history', 'breast atrophy', { status: 'family' }),
      fact('medication', 'Zzyzx retard'),
      fact('allergy', 'Allergy to zzyzx'),
      fact('identity', 'Jane Citizen'),
      fact('condition', 'Bad pain in my back and in my stomach since last winter'),
    ],
    search,
  )
  t.same(asked, [
    [
      { words: 'atrophy breast', domain: 'condition' },
      { words: 'retard zzyzx', domain: 'medication' },
      { words: 'zzyzx', domain: 'allergy' },
    ],
  ])
})

test('a file whose words are all known asks nothing', async (t) => {
  const { asked, search } = terminology()
  const [coding] = await codeWithSearch([fact('condition', 'asthma', { concept: 'conditions:asthma' })], search)
  t.ok(coding?.selected)
  t.same(asked, [])
})

test('a code that says the same is chosen, one that is only alike is offered', async (t) => {
  const words = fact('condition', 'Atrophy of breast')
  const [same] = await codeWithSearch([words], terminology([found({})]).search)
  t.match(same?.selected, { system: 'ICD-10-CM', code: 'N64.2', method: 'exact' })

  const alike = found({ method: 'trigram', isEquivalent: false, score01: 0.84 })
  const [other] = await codeWithSearch([words], terminology([alike]).search)
  t.equal(other?.selected, null)
  t.match(other?.candidates, [{ code: 'N64.2', method: 'trigram', score01: 0.84 }])
})

test('a name alone never chooses the code of a test: unit and specimen do', async (t) => {
  const glucose = found({ codeSystem: 'LOINC', code: '14749-6', display: 'Glucose [Moles/volume] in Serum or Plasma' })
  const result = fact('lab_result', 'Glucoze plasma level', { value: '5.1', unit: 'mmol/L' })
  const [coding] = await codeWithSearch([result], terminology([glucose]).search)
  t.equal(coding?.selected, null)
  t.match(coding?.candidates, [{ system: 'LOINC', code: '14749-6' }])

  const ofUrine = { ...result, detail: { specimen: 'urine' } }
  const [urine] = await codeWithSearch([ofUrine], terminology([glucose]).search)
  t.same(urine?.candidates, [], 'glucose in urine is another test')
})

test('a habit is offered a code, but how it is meant the words do not say', async (t) => {
  const smoker = found({ codeSystem: 'SNOMED', code: '77176002', display: 'Smoker (finding)' })
  const [coding] = await codeWithSearch([fact('social_history', 'Tobacco zzyzx')], terminology([smoker]).search)
  t.equal(coding?.selected, null)
  t.equal(coding?.candidates.length, 1)
})
