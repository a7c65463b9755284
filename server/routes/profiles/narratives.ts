import { narrateRecord, templateModel } from '../../../clinical/narration/narrate.ts'
import { asActor } from '../../../db/actor.ts'
import { recordOfPerson } from '../../../db/queries/narratives.ts'
import { findProfileToNarrate } from '../../../db/queries/read-traces.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { noteRead } from '../../plugins/read-traces.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams } from '../fields.ts'
import { narrativeListSchema, presentNarratives } from '../narratives.ts'

/** Told on reading: always from the record as it is, so that nothing has to be told anew when a file comes or goes. */
export function profileNarratives(api: Api, { db }: RouteDeps): void {
  api.get(
    '/profiles/:id/narratives',
    {
      schema: {
        tags: ['profiles'],
        summary: 'The whole record of a person, told problem by problem',
        description: 'For who may see both their clinical data and their narratives; empty for others.',
        params: idParams,
        response: { 200: narrativeListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) => {
      const patientId = request.params.id
      return asActor(db, actorOf(request), async (tx) => {
        const person = await findProfileToNarrate(tx, patientId)
        if (person === null) throw notFound()
        const { ground } = person
        if (ground === null) return { narratives: [] }
        noteRead(request, { patientId, view: 'profile_narratives', recordId: patientId, ground })
        const stories = narrateRecord(await recordOfPerson(tx, patientId))
        return await presentNarratives(
          tx,
          stories.map((story) => ({ ...story, model: templateModel })),
        )
      })
    },
  )
}
