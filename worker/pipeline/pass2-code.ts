/** Pass 2: codes, checks, confidence and admission for the facts of a file. Pure; what the record knows is joined on writing. */
import { checkFact, type CheckContext } from '../../clinical/coding/checks.ts'
import { codeFact } from '../../clinical/coding/coding.ts'
import { rateConfidence, type Evidence } from '../../clinical/coding/confidence.ts'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import { admitByType } from '../../clinical/entities/index.ts'
import type { AdmittedFact } from '../../clinical/entities/record-change.ts'

/** Changes when the same facts may be coded or admitted otherwise. */
export const codeVersion = '4'

export type FactToCode = Omit<FoundFact, 'spans' | 'foundBy'> & {
  readonly id: string
  readonly wordConfidence01: number
}

export type CodeContext = CheckContext & {
  readonly identity: Evidence['identity']
  /** Ids of facts about somebody else whom the same file is about. */
  readonly ofOthers?: ReadonlySet<string>
}

const aboutAnother = { kind: 'noted', reason: 'This is about another person in the same file.' } as const

export function codeFacts(facts: readonly FactToCode[], context: CodeContext): AdmittedFact[] {
  return facts.map((fact) => {
    const coding = codeFact(fact)
    const checks = checkFact(fact, context)
    const confidence = rateConfidence({ ...fact, coding, checks, identity: context.identity })
    const admission =
      context.ofOthers?.has(fact.id) === true ? aboutAnother : admitByType[fact.type]({ ...fact, coding })
    return { id: fact.id, date: fact.date, coding, confidence, admission }
  })
}
