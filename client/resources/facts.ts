import type { CallOptions, Transport } from '../transport.ts'
import type {
  AcceptedFacts,
  AcceptFacts,
  DecidedFact,
  DecisionList,
  Fact,
  FactChanges,
  FactDecision,
  FactList,
  NewFact,
} from '../types.ts'

export type Facts = {
  /** `version` is the fact's as it was shown: when it has changed since, `fact_changed`. */
  readonly decide: (id: string, decision: FactDecision, options?: CallOptions) => Promise<DecidedFact>
  /** With an id of the caller's a lost answer is asked for again, and enters nothing twice. */
  readonly enter: (documentId: string, fact: NewFact, options?: CallOptions) => Promise<Fact>
  /** Without ids: all that is sure and that nobody has decided on. */
  readonly accept: (documentId: string, which?: AcceptFacts, options?: CallOptions) => Promise<AcceptedFacts>
  readonly decisions: (documentId: string, options?: CallOptions) => Promise<DecisionList['decisions']>
  readonly undo: (documentId: string, decisionId: string, options?: CallOptions) => Promise<Fact[]>
  /** What is new, changed or gone since the document was processed again. */
  readonly changes: (documentId: string, options?: CallOptions) => Promise<FactChanges>
}

export function factsOf({ json }: Transport): Facts {
  return {
    decide: (id, decision, options) =>
      json({ method: 'PATCH', path: `/facts/${encodeURIComponent(id)}`, json: decision, repeat: 'always', ...options }),
    enter: (documentId, fact, options) => {
      const call = { path: `${pathOf(documentId)}/facts`, json: fact, ...onceBy(fact.id), ...options }
      return json({ method: 'POST', ...call })
    },
    accept: (documentId, which = {}, options) => {
      const call = { path: `${pathOf(documentId)}/review`, json: which, ...onceBy(which.decision_id), ...options }
      return json({ method: 'POST', ...call })
    },
    decisions: async (documentId, options) =>
      (await json<DecisionList>({ method: 'GET', path: `${pathOf(documentId)}/review`, ...options })).decisions,
    undo: async (documentId, decisionId, options) =>
      (
        await json<FactList>({
          method: 'POST',
          path: `${pathOf(documentId)}/review/undo`,
          json: { decision_id: decisionId },
          repeat: 'always',
          ...options,
        })
      ).facts,
    changes: (documentId, options) => json({ method: 'GET', path: `${pathOf(documentId)}/changes`, ...options }),
  }
}

/** What has an id of the caller's may be sent again: it has its effect once. */
const onceBy = (id: string | undefined) => ({ repeat: id === undefined ? ('refused' as const) : ('always' as const) })

const pathOf = (documentId: string) => `/documents/${encodeURIComponent(documentId)}`
