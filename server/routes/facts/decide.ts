import { readFactDetail, readFoundDate } from '../../../clinical/document/stored-fact.ts'
import { applyChanges, decideOnFact, readCorrected, type StandingFact } from '../../../clinical/entities/person-fact.ts'
import { asActor, type Tx } from '../../../db/actor.ts'
import { decideFact, findFact, separateFact, type FactVerdict } from '../../../db/queries/fact-decisions.ts'
import { findListedFact } from '../../../db/queries/facts.ts'
import { searchCodes } from '../../../db/queries/terminology.ts'
import type { FactRow } from '../../../db/schema/facts.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { presentFact } from '../documents/present.ts'
import { idParams } from '../fields.ts'
import { decisionRefusals } from './refusals.ts'
import { decidedFactSchema, factDecisionBody, type FactDecisionBody } from './schema.ts'
import { wordsOfBody } from './words-of-body.ts'

export function decideFactRoute(api: Api, { db }: RouteDeps): void {
  api.patch(
    '/facts/:id',
    {
      schema: {
        tags: ['facts'],
        summary: 'Accept a fact, say what is right instead, reject it, or say that it is not the same as others',
        description:
          'The decision is on the fact with all its places in the document, and stands in every later run. What other documents say as well stays in the record as theirs.',
        params: idParams,
        body: factDecisionBody,
        response: { 200: decidedFactSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        const fact = await findFact(tx, request.params.id)
        if (fact === null) throw notFound()
        const seen = { id: fact.id, seenVersion: request.body.version ?? null }
        const decisionId =
          request.body.review === 'separated'
            ? await separateFact(tx, seen, request.body.apart_from)
            : await decideFact(tx, seen, await verdictOf(tx, fact, request.body))
        const decided = await findListedFact(tx, fact.shellFileId, fact.id)
        if (decided === null) throw notFound()
        return { decision_id: decisionId, fact: presentFact(decided) }
      }).catch(raisedAs(decisionRefusals)),
  )
}

type OnOneFact = Exclude<FactDecisionBody, { review: 'separated' }>

async function verdictOf(tx: Tx, fact: FactRow, body: OnOneFact): Promise<FactVerdict> {
  if (body.review === 'accepted') return { decision: 'accepted' }
  if (body.review === 'rejected') return { decision: 'rejected', reason: body.reason }
  const changes = { ...wordsOfBody(body), text: body.text }
  const { id, shellFileId, patientId } = fact
  const standing = applyChanges(standingOf(fact), changes)
  const { stored, entry, codes } = await decideOnFact(
    { shellFileId, patientId },
    { id, ...standing },
    { code: body.code, search: (sought) => searchCodes(tx, sought) },
  )
  return { decision: 'edited', corrected: stored, entry, codes }
}

/** What a person has said before is what is changed. */
function standingOf(fact: FactRow): StandingFact {
  if (fact.corrected !== null) return readCorrected(fact.factType, fact.corrected)
  return {
    type: fact.factType,
    text: fact.factText,
    status: fact.factStatus,
    value: fact.value,
    unit: fact.unit,
    referenceRange: fact.referenceRange,
    date: readFoundDate(fact.foundDate),
    detail: readFactDetail(fact.detail),
    concept: fact.concept,
  }
}
