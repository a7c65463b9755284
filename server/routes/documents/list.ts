import { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import { listDocuments } from '../../../db/queries/documents.ts'
import { findProfileToRead } from '../../../db/queries/read-traces.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { noteRead } from '../../plugins/read-traces.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { decodeCursor, encodeCursor, storedTime } from '../fields.ts'
import { presentHead } from './present.ts'
import { documentListQuery, documentListSchema } from './schema.ts'

const cursorShape = z.object({
  createdAt: storedTime,
  id: z.uuid(),
})

export function listDocumentRoute(api: Api, { db }: RouteDeps): void {
  api.get(
    '/documents',
    {
      schema: {
        tags: ['documents'],
        summary: 'Documents of one person, newest first',
        querystring: documentListQuery,
        response: { 200: documentListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) => {
      const { patient_id: patientId, limit, cursor } = request.query
      const after = cursor === undefined ? null : decodeCursor(cursor, cursorShape)
      return asActor(db, actorOf(request), async (tx) => {
        const person = await findProfileToRead(tx, patientId)
        if (person === null) throw notFound()
        const { ground } = person
        if (ground !== null) noteRead(request, { patientId, view: 'document_list', recordId: patientId, ground })
        const found = await listDocuments(tx, { patientId, limit, after })
        const shown = found.slice(0, limit)
        const last = found.length > limit ? shown.at(-1) : undefined
        return {
          documents: shown.map(({ file }) => presentHead(file)),
          next_cursor: last === undefined ? null : encodeCursor(last.cursor),
        }
      })
    },
  )
}
