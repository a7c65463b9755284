import { Readable } from 'node:stream'
import { z } from 'zod'
import { defineError } from '../../../platform/errors.ts'
import { objectNotFound } from '../../../platform/storage/store.ts'
import { bytes, noBody, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { parseRange } from './byte-range.ts'
import { hasCopy, isStillThat } from './entity-tags.ts'
import { readDocument, requireScanned } from './open-document.ts'
import { idParams } from '../fields.ts'

export const preconditionFailed = defineError('precondition_failed', 412, 'The file is not the one that was meant.')
export const rangeNotSatisfiable = defineError('range_not_satisfiable', 416, 'The file has no such part.')

const headers = z.object({
  range: z.string().optional(),
  'if-range': z.string().optional(),
  'if-match': z.string().optional(),
  'if-none-match': z.string().optional(),
})

export function documentContent(api: Api, { db, store }: RouteDeps): void {
  api.get(
    '/documents/:id/content',
    {
      schema: {
        tags: ['documents'],
        summary: 'The original file, or a part of it',
        params: idParams,
        headers,
        response: {
          200: bytes('application/octet-stream', 'The whole file, as its own type'),
          206: bytes('application/octet-stream', 'The part that was asked for'),
          304: noBody('Unchanged'),
          ...problems(400, 401, 404, 409, 412, 416, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const file = await readDocument(
        db,
        request,
        { id: request.params.id, view: 'document_content' },
        async (tx, found) => {
          await requireScanned(tx, found, 'hand_back')
          return found
        },
      )
      const etag = `"${file.sha256}"`
      // What somebody uploaded is handed over, never shown as a page of ours: a browser may not run anything in it.
      reply
        .header('etag', etag)
        .header('cache-control', 'private, no-cache')
        .header('accept-ranges', 'bytes')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('content-disposition', `attachment; filename*=UTF-8''${encodeName(file.filename)}`)
      if (!isStillThat(request.headers['if-match'], etag)) {
        reply.removeHeader('content-disposition')
        throw preconditionFailed()
      }
      if (hasCopy(request.headers['if-none-match'], etag)) return await reply.code(304).send()
      // No part of HEAD, by the standard; and nothing is opened for it.
      if (request.method === 'HEAD') {
        if ((await store.head(file.storageKey)) === null) throw objectNotFound()
        return await reply.type(file.mimeType).header('content-length', String(file.sizeBytes)).send(Readable.from([]))
      }

      // By a tag alone: a date never matches, and the whole is a right answer.
      const mayBePart = (request.headers['if-range'] ?? etag) === etag
      const asked = parseRange(mayBePart ? request.headers.range : undefined, file.sizeBytes)
      if (asked.kind === 'unsatisfiable') {
        reply.removeHeader('content-disposition').header('content-range', `bytes */${file.sizeBytes}`)
        throw rangeNotSatisfiable()
      }
      const range = asked.kind === 'part' ? asked.range : { start: 0, end: file.sizeBytes - 1 }
      const { stream } = await store.open(file.storageKey, range)
      if (asked.kind === 'part') {
        reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${file.sizeBytes}`)
      }
      reply.header('content-length', String(range.end - range.start + 1))
      return await reply.type(file.mimeType).send(stream)
    },
  )
}

/** RFC 8187 leaves fewer characters as they are than a URL does. */
function encodeName(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
}
