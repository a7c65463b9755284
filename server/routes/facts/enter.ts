import { randomUUID } from 'node:crypto'
import { wordsPointedAt } from '../../../clinical/document/pointed-words.ts'
import { unpackLayout } from '../../../clinical/document/stored-layout.ts'
import { decideOnFact, newFact } from '../../../clinical/entities/person-fact.ts'
import type { Tx } from '../../../db/actor.ts'
import { enterFact } from '../../../db/queries/fact-decisions.ts'
import { findListedFact } from '../../../db/queries/facts.ts'
import type { NewSource } from '../../../db/queries/found-facts.ts'
import { searchCodes } from '../../../db/queries/terminology.ts'
import { loadText } from '../../../db/queries/texts.ts'
import { defineError } from '../../../platform/errors.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { changeDocument } from '../documents/open-document.ts'
import { presentFact } from '../documents/present.ts'
import { factSchema } from '../documents/schema.ts'
import { idParams } from '../fields.ts'
import { decisionRefusals, factChanged } from './refusals.ts'
import { newFactBody, type NewFactBody } from './schema.ts'
import { wordsOfBody } from './words-of-body.ts'

export const noWordsThere = defineError('no_words_there', 422, 'There are no words at that place of the document.')

export function enterFactRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/documents/:id/facts',
    {
      schema: {
        tags: ['facts'],
        summary: 'Add a fact by hand',
        description:
          'It enters the record as what its words say, joins what says the same, and no later run changes it.',
        params: idParams,
        body: newFactBody,
        response: { 201: factSchema, ...problems(400, 401, 403, 404, 409, 422) },
      },
    },
    async (request, reply) => {
      const { body } = request
      const entered = await changeDocument(
        db,
        request,
        request.params.id,
        async (tx, { id: shellFileId, patientId }) => {
          const id = body.id ?? randomUUID()
          const sources = await sourcesOf(tx, shellFileId, body)
          const said = newFact(body.type, body.text, wordsOfBody(body))
          const { stored, entry, codes } = await decideOnFact(
            { shellFileId, patientId },
            { id, ...said },
            { code: body.code, search: (sought) => searchCodes(tx, sought) },
          )
          await enterFact(tx, shellFileId, { ...stored, id, factType: body.type, entry, codes, sources })
          const fact = await findListedFact(tx, shellFileId, id)
          if (fact === null) throw notFound()
          return presentFact(fact)
        },
      ).catch(raisedAs(decisionRefusals))
      return await reply.code(201).send(entered)
    },
  )
}

async function sourcesOf(
  tx: Tx,
  documentId: string,
  { sources: places = [], text_version: seen }: NewFactBody,
): Promise<readonly NewSource[]> {
  if (places.length === 0) return []
  const text = await loadText(tx, documentId)
  if (text === null) throw noWordsThere()
  if (seen !== undefined && seen !== text.version) throw factChanged()
  const document = unpackLayout(text.content, text.layout)
  return places.flatMap((place, index) => {
    const pointed = 'page' in place ? { page: place.page, box: cornersOf(place.box) } : place
    const words = wordsPointedAt(document, pointed)
    if (words.length === 0) throw noWordsThere()
    return words.map((each) => ({ role: index === 0 ? 'name' : 'detail', ...each }))
  })
}

function cornersOf([x0 = 0, y0 = 0, x1 = 0, y1 = 0]: readonly number[]) {
  return [x0, y0, x1, y1] as const
}
