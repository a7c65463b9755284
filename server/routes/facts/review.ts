import { randomUUID } from 'node:crypto'
import { acceptFacts, listDecisions, undoFactDecision, type DecisionRow } from '../../../db/queries/fact-decisions.ts'
import { listFacts } from '../../../db/queries/facts.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { conflict, notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { changeDocument, readDocument } from '../documents/open-document.ts'
import { presentFact } from '../documents/present.ts'
import { factListSchema } from '../documents/schema.ts'
import { idParams, toTime, toTimeOrNull } from '../fields.ts'
import { decisionRefusals, laterDecisionStands } from './refusals.ts'
import { acceptBody, acceptedSchema, decisionListSchema, undoBody } from './schema.ts'

/** What people decided about the facts of a document: many at once, all of it listed, any of it taken back. */
export function reviewRoutes(api: Api, { db }: RouteDeps): void {
  const tags = ['facts']

  api.post(
    '/documents/:id/review',
    {
      schema: {
        tags,
        summary: 'Accept many facts at once',
        params: idParams,
        body: acceptBody,
        response: { 200: acceptedSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    (request) =>
      changeDocument(db, request, request.params.id, (tx, { id }) =>
        acceptFacts(tx, id, {
          factIds: request.body.fact_ids ?? null,
          decisionId: request.body.decision_id ?? randomUUID(),
        }),
      ).catch(raisedAs({ ...decisionRefusals, [raised.uniqueViolation]: () => conflict() })),
  )

  api.get(
    '/documents/:id/review',
    {
      schema: {
        tags,
        summary: 'What was decided about the facts of a document, newest first',
        params: idParams,
        response: { 200: decisionListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document_review' }, async (tx, { id }) => ({
        decisions: presentDecisions(await listDecisions(tx, id), actorOf(request).accountId),
      })),
  )

  api.post(
    '/documents/:id/review/undo',
    {
      schema: {
        tags,
        summary: 'Take a decision back',
        description: 'Facts and record are as they were before it. Taken back twice is taken back once.',
        params: idParams,
        body: undoBody,
        response: { 200: factListSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    (request) =>
      changeDocument(db, request, request.params.id, async (tx, { id }) => {
        const known = await listDecisions(tx, id)
        if (!known.some((row) => row.decisionId === request.body.decision_id)) throw notFound()
        await undoFactDecision(tx, id, request.body.decision_id)
        return { facts: (await listFacts(tx, id)).map(presentFact) }
      }).catch(raisedAs({ ...decisionRefusals, [raised.notInPrerequisiteState]: () => laterDecisionStands() })),
  )
}

/** One act of a person is one line, however many facts it was about. */
function presentDecisions(rows: readonly DecisionRow[], accountId: string | null) {
  const acts = Map.groupBy(rows, (row) => row.decisionId)
  return [...acts].flatMap(([decisionId, [first, ...others]]) =>
    first === undefined
      ? []
      : [
          {
            decision_id: decisionId,
            decision: first.decision,
            reason: first.reasonCode,
            fact_ids: [first, ...others].flatMap((row) => row.factIds.slice(0, 1)),
            decided_at: toTime(first.decidedAt),
            is_own: first.decidedBy !== null && first.decidedBy === accountId,
            undone_at: toTimeOrNull(first.undoneAt),
          },
        ],
  )
}
