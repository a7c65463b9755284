import { test } from 'tap'
import { codeFact } from '../../../clinical/coding/coding.ts'
import type { SourceCode } from '../../../clinical/document/found-fact.ts'

const fact = (type: 'condition' | 'lab_result' | 'medication', text: string, codes: readonly SourceCode[]) => ({
  type,
  text,
  status: 'present' as const,
  value: null,
  unit: null,
  concept: null,
  detail: { codes },
})
const code = (system: string, value: string): SourceCode => ({ system, code: value, display: null })

test('the code of the file is taken before what our tables make of the words', (t) => {
  const { selected, candidates } = codeFact(fact('condition', 'Asthma', [code('SNOMED', '389145006')]))
  t.match(selected, { system: 'SNOMED', code: '389145006', display: 'Asthma', method: 'source' })
  t.ok(
    candidates.some(({ method }) => method !== 'source'),
    'ours are still offered',
  )
  t.end()
})

test('a code that its system would not form like this is only offered', (t) => {
  const wrong = [code('SNOMED', '389145007'), code('LOINC', '2951-3'), code('ICD-10-CM', '45'), code('local', 'X1')]
  for (const each of wrong) {
    const { selected, candidates } = codeFact(fact('lab_result', 'Some rare test', [each]))
    t.equal(selected, null, `${each.system} ${each.code}`)
    t.equal(candidates[0]?.code, each.code)
  }
  t.end()
})

test('of several codes the one comes first that other records of the kind are coded in', (t) => {
  const both = [code('ICD-10-CM', 'E11.9'), code('SNOMED', '44054006')]
  t.equal(codeFact(fact('condition', 'Type 2 diabetes', both)).selected?.system, 'SNOMED')
  const drug = [code('NDC', '0069-1530-68'), code('ATC', 'C08CA01'), code('RxNorm', '197361')]
  t.equal(codeFact(fact('medication', 'Amlodipine 5 MG', drug)).selected?.system, 'RxNorm')
  t.end()
})
