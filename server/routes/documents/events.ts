import type { ServerResponse } from 'node:http'
import type { FastifyReply } from 'fastify'
import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import type { Actor } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { findDocument, listEventsAfter } from '../../../db/queries/documents.ts'
import type { ShellFileEvent } from '../../../db/queries/documents.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf, tokenExpiryOf } from '../../plugins/authentication/authentication.ts'
import { overloaded } from '../../plugins/errors.ts'
import { bytes, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams, toTime } from '../fields.ts'
import { readDocument } from './open-document.ts'
import { eventHeaders } from './schema.ts'
import type { documentEventSchema } from './schema.ts'
import { createSerialLook } from './serial-look.ts'

export const notAcceptable = defineError('not_acceptable', 406, 'This is answered as text/event-stream only.')

const heartbeatMs = 15_000
const batch = 200
const maxStreams = 2_000
/** A reader that is this far behind is cut off; it comes back with `Last-Event-ID` and has missed nothing. */
const maxUnreadBytes = 256 * 1024
const ended = new Set(['completed', 'needs_review', 'failed'])

export function documentEvents(api: Api, deps: RouteDeps): void {
  api.get(
    '/documents/:id/events',
    {
      // A HEAD would hold a stream open that says nothing.
      exposeHeadRoute: false,
      schema: {
        tags: ['documents'],
        summary: 'What happens to a document, as it happens',
        description:
          'Server-sent events: `file` and `stage`, then `end` when processing has come to an end or waits for a person. ' +
          'Comes back where it stopped with Last-Event-ID.',
        params: idParams,
        headers: eventHeaders,
        response: { 200: bytes('text/event-stream', 'Events'), ...problems(400, 401, 404, 406, 503) },
      },
    },
    async (request, reply) => {
      if (!/text\/event-stream|\*\/\*|text\/\*/.test(request.headers.accept ?? '*/*')) throw notAcceptable()
      if (deps.fileEvents.watching() >= maxStreams) throw overloaded({ retryAfterMs: 10_000 })
      const actor = actorOf(request)
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

      const stream = openStream(reply)
      const look = createSerialLook(
        createTeller(deps.db, { actor, documentId, afterId: Number(request.headers['last-event-id'] ?? 0) }, stream),
        (error) => {
          request.log.warn({ err: error }, 'events could not be read')
          stream.end()
        },
      )
      const unwatch = deps.fileEvents.watch(documentId, { onChange: look, onEnd: () => stream.end() })
      const heartbeat = setInterval(() => {
        stream.write(': still here\n\n')
        look()
      }, heartbeatMs)
      const expiry = setTimeout(() => stream.end(), Math.max(0, tokenExpiryOf(request).getTime() - Date.now()))
      reply.raw.once('close', () => {
        clearInterval(heartbeat)
        clearTimeout(expiry)
        unwatch()
      })
      look()
      return reply
    },
  )
}

type EventStream = { readonly write: (text: string) => void; readonly end: (text?: string) => void }
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

function openStream(reply: FastifyReply): EventStream {
  reply.hijack()
  const raw: ServerResponse = reply.raw
  const headers = Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.map(String) : String(value)] as const],
  )
  raw.writeHead(200, {
    ...Object.fromEntries(headers),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  raw.write('retry: 2000\n\n')
  return {
    write: (text) => {
      if (raw.writableEnded || raw.destroyed) return
      raw.write(text)
      if (raw.writableLength > maxUnreadBytes) raw.destroy()
    },
    end: (text) => {
      if (!raw.writableEnded && !raw.destroyed) raw.end(text)
    },
  }
}

function wordEnd(last: ShellFileEvent): string {
  return `event: end\ndata: ${JSON.stringify({ file_status: last.fileStatus })}\n\n`
}

function wordEvent(event: ShellFileEvent): string {
  const said: z.output<typeof documentEventSchema> = {
    id: event.id,
    stage: event.stage,
    status: event.stageStatus,
    file_status: event.fileStatus,
    pages_done: event.pagesDone,
    pages_total: event.pagesTotal,
    at: toTime(event.createdAt),
  }
  return `id: ${event.id}\nevent: ${event.stage === null ? 'file' : 'stage'}\ndata: ${JSON.stringify(said)}\n\n`
}
