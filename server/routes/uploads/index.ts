import type { IncomingMessage } from 'node:http'
import { uuidV7 } from '../../../platform/uuid.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { UploadAttempt } from './attempt.ts'
import type { UploadAnswered } from './attempt.ts'
import { fileTooLarge } from './errors.ts'
import { discardRest, readForm } from './form.ts'
import { signalOf } from './request-signal.ts'
import { uploadAnswer, uploadHeaders, uploadQuery } from './schema.ts'

// Boundaries and fields around the file.
const formOverheadBytes = 64 * 1024

export function uploadRoutes(api: Api, deps: RouteDeps): void {
  const { maxBytes } = deps.config.uploads

  api.post(
    '/documents/upload',
    {
      config: { budget: 'uploads' },
      // Before a client that asks is told to send it.
      onRequest: async (request) => {
        if (declaredLength(request.raw) <= maxBytes + formOverheadBytes) return
        discardRest(request.raw, 2 * maxBytes)
        throw fileTooLarge({ maxBytes })
      },
      schema: {
        tags: ['documents'],
        summary: 'Upload a document',
        description:
          'multipart/form-data with one file. The document is safe, and its processing begun, when this answers. ' +
          'Send an Idempotency-Key and repeat the request as often as needed: it counts once.',
        consumes: ['multipart/form-data'],
        querystring: uploadQuery,
        headers: uploadHeaders,
        response: {
          201: uploadAnswer,
          200: uploadAnswer.describe('A duplicate, or the first answer again.'),
          ...problems(400, 401, 402, 403, 404, 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const declaredBytes = declaredLength(request.raw)
      const signal = signalOf(request.raw)
      const leave = await deps.uploadGate.enter(signal)
      const attempt = new UploadAttempt(deps, {
        actor: actorOf(request),
        key: request.headers['idempotency-key'] ?? request.headers['x-idempotency-key'] ?? null,
        leastFileBytes: Math.max(declaredBytes - formOverheadBytes, 0),
        duplicates: request.query.keep_both ? 'keep' : 'refuse',
        signal,
        attemptToken: uuidV7(),
        resumable: null,
      })
      let answered: UploadAnswered
      try {
        const fields = await readForm(request, { maxBytes, formOverheadBytes }, (file, soFar) =>
          attempt.receive(file, soFar),
        )
        answered = await attempt.settle(fields)
      } catch (error) {
        discardRest(request.raw, 2 * maxBytes)
        throw error
      } finally {
        // Not the caller's concern: what is left over is found and removed later.
        await attempt.undo().catch((error: unknown) => request.log.error({ err: error }, 'upload not undone'))
        leave()
      }
      if (answered.kind === 'first' && answered.status === 201) request.enqueuedFileId = answered.shellFileId
      if (answered.kind === 'replayed') reply.header('idempotent-replayed', 'true')
      reply.header('location', `/documents/${answered.shellFileId}`)
      return await reply.code(answered.status === 201 ? 201 : 200).send(uploadAnswer.parse(answered.body))
    },
  )
}

function declaredLength(request: IncomingMessage): number {
  const declared = Number(request.headers['content-length'] ?? 0)
  return Number.isSafeInteger(declared) ? declared : 0
}
