/**
 * Pass 2: codes, checks, confidence and admission for the facts of a file. Pure but for the terminology that it asks; what the
 * record knows is joined on writing.
 */
import { checkFact, type CheckContext } from '../../clinical/coding/checks.ts'
import { codeWithSearch, type SearchCodes } from '../../clinical/coding/code-search.ts'
import type { Coding } from '../../clinical/coding/coding.ts'
import { rateConfidence, type Evidence } from '../../clinical/coding/confidence.ts'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import { admitByType } from '../../clinical/entities/index.ts'
import type { AdmittedFact } from '../../clinical/entities/record-change.ts'

/** Changes when the same facts may be coded or admitted otherwise. */
export const codeVersion = '7'

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

export type CodeProviders = { readonly searchCodes: SearchCodes }

export async function codeFacts(
  facts: readonly FactToCode[],
  context: CodeContext,
  { searchCodes }: CodeProviders,
): Promise<AdmittedFact[]> {
  return admitCoded(facts, await codeWithSearch(facts, searchCodes), context)
}

/** What becomes of the facts with these codes, in the order of the facts. */
export function admitCoded(
  facts: readonly FactToCode[],
  codings: readonly Coding[],
  context: CodeContext,
): AdmittedFact[] {
  return facts.flatMap((fact, place) => {
    const coding = codings[place]
    return coding === undefined ? [] : [admitFact(fact, coding, context)]
  })
}

function admitFact(fact: FactToCode, coding: Coding, context: CodeContext): AdmittedFact {
  const checks = checkFact(fact, context)
  const confidence = rateConfidence({ ...fact, coding, checks, identity: context.identity })
  const admission = context.ofOthers?.has(fact.id) === true ? aboutAnother : admitByType[fact.type]({ ...fact, coding })
  return { id: fact.id, date: fact.date, coding, confidence, admission }
}
