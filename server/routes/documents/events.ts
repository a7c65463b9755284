import { asActor } from '../../../db/actor.ts'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { findDocument, listEventsAfter } from '../../../db/queries/documents.ts'
import type { ShellFileEvent } from '../../../db/queries/documents.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { eventsOf, problems } from '../../plugins/problem-schema.ts'
import type { EventStream } from '../../plugins/realtime/event-streams.ts'
import { changeOf } from '../../plugins/realtime/frames.ts'
import { wantedStreamOf } from '../../plugins/realtime/wanted-stream.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams } from '../fields.ts'
import { readDocument } from './open-document.ts'
import { documentStreamSchema, eventHeaders } from './schema.ts'
import type { DocumentStreamEvent } from './schema.ts'
import { createSerialLook } from './serial-look.ts'

const batch = 200
const ended = new Set(['completed', 'needs_review', 'failed'])

export function documentEvents(api: Api, deps: RouteDeps): void {
  api.get(
    '/documents/:id/events',
    {
      // A HEAD would hold a stream open that says nothing.
      exposeHeadRoute: false,
      config: { budget: 'streams' },
      schema: {
        tags: ['documents'],
        summary: 'What happens to a document, as it happens',
        description:
          'Server-sent events: `file` and `stage`, then `end` when processing has come to an end or waits for a person. ' +
          'Comes back where it stopped with Last-Event-ID.',
        params: idParams,
        headers: eventHeaders,
        response: { 200: eventsOf(documentStreamSchema), ...problems(400, 401, 404, 406, 429, 503) },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request)
      const wanted = wantedStreamOf(request, deps.realtime.streams)
      const documentId = request.params.id
      // A stream is answered by nobody else, so it is recorded here.
      await deps.traces.record(
        await readDocument(
          deps.db,
          request,
          { id: documentId, view: 'document_events' },
          async (_tx, _file, trace) => trace,
        ),
      )

      const stream = deps.realtime.streams.open(reply, wanted)
      const look = createSerialLook(
        createTeller(deps.db, { actor, documentId, afterId: Number(request.headers['last-event-id'] ?? 0) }, stream),
        (error) => {
          request.log.warn({ err: error }, 'events could not be read')
          stream.end()
        },
      )
      stream.onBeat(look)
      stream.onClose(deps.fileEvents.watch(documentId, { onChange: look }))
      look()
      return reply
    },
  )
}

type Told = { readonly actor: Actor; readonly documentId: string; readonly afterId: number }

/** Tells what is new since the last look; read as the actor, so that access taken away ends the stream at once. */
function createTeller(db: Database, told: Told, stream: EventStream): () => Promise<void> {
  const { actor, documentId } = told
  let lastId = told.afterId
  const read = () =>
    asActor(db, actor, async (tx) => {
      const file = await findDocument(tx, documentId)
      return file === null ? null : await listEventsAfter(tx, documentId, lastId, batch)
    })
  return async () => {
    for (let events = await read(); ; events = await read()) {
      if (events === null) return stream.end()
      for (const event of events) stream.write(wordEvent(event))
      const last = events.at(-1)
      if (last === undefined) return
      lastId = last.id
      if (events.length === batch) continue
      if (ended.has(last.fileStatus)) stream.end(wordEnd(last))
      return
    }
  }
}

function wordEnd(last: ShellFileEvent): string {
  return wordFrame({ event: 'end', data: { file_status: last.fileStatus } })
}

const wordEvent = (row: ShellFileEvent): string => wordFrame({ id: String(row.id), ...changeOf(row) })

function wordFrame(told: DocumentStreamEvent): string {
  const place = told.event === 'end' ? '' : `id: ${told.id}\n`
  return `${place}event: ${told.event}\ndata: ${JSON.stringify(told.data)}\n\n`
}
