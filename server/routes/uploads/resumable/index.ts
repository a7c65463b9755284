/**
 * Resumable uploads: tus 1.0 with creation, expiration and termination. Not `@tus/server`: it counts the last byte and
 * lets go of its lock before it tells anybody that the upload is finished, so that a crash in between leaves an upload
 * that is whole, and a document that nobody registers.
 */
import { asActor } from '../../../../db/actor.ts'
import { cancelResumableUpload } from '../../../../db/queries/resumable-uploads.ts'
import { actorOf } from '../../../plugins/authentication/authentication.ts'
import { noBody, problems } from '../../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../../types.ts'
import { idParams, toTime } from '../../fields.ts'
import { discardRest } from '../form.ts'
import { signalOf } from '../request-signal.ts'
import { uploadQuery } from '../schema.ts'
import { createUpload } from './create.ts'
import { uploadHeld, uploadVersionUnknown } from './errors.ts'
import { findUpload } from './kept-upload.ts'
import type { KeptUpload } from './kept-upload.ts'
import { readMetadata } from './metadata.ts'
import { continueUpload } from './receive-pieces.ts'
import { creationHeaders, pieceHeaders, uploadState } from './schema.ts'

const path = '/documents/upload/resumable'
const version = '1.0.0'
const tags = ['documents']

/** Asked before anybody says who they are, by browsers and by clients that look around. */
export function resumableOptions(api: Api, { config }: RouteDeps): void {
  const cors = { strictPreflight: false, preflightContinue: true }
  for (const url of [path, `${path}/:id`]) {
    api.options(url, { config: { cors }, schema: { hide: true } }, (_request, reply) =>
      reply
        .headers({
          'tus-resumable': version,
          'tus-version': version,
          'tus-extension': 'creation,expiration,termination',
          'tus-max-size': config.uploads.maxBytes,
        })
        .code(204)
        .send(),
    )
  }
}

export function resumableRoutes(api: Api, deps: RouteDeps): void {
  api.register(async (scope: Api) => {
    scope.addContentTypeParser('application/offset+octet-stream', (_request, payload, done) => done(null, payload))
    scope.addHook('preValidation', async (request, reply) => {
      reply.headers({ 'tus-resumable': version, 'tus-version': version, 'cache-control': 'no-store' })
      if (request.method !== 'GET' && request.headers['tus-resumable'] !== version) throw uploadVersionUnknown()
    })
    addCreation(scope, deps)
    addState(scope, deps)
    addPieces(scope, deps)
    addTermination(scope, deps)
  })
}

function addCreation(api: Api, deps: RouteDeps): void {
  const schema = {
    tags,
    summary: 'Begin a resumable upload',
    description:
      'tus 1.0. Upload-Metadata: filename, patient_id, idempotency_key, estimated_pages, document_date, note.',
    querystring: uploadQuery,
    headers: creationHeaders,
    response: { 201: noBody('Pieces may come.'), ...problems(400, 401, 402, 403, 404, 412, 413, 429) },
  }
  api.post(path, { schema, config: { budget: 'uploads' } }, async (request, reply) => {
    const { 'upload-length': sizeBytes, 'upload-metadata': metadata } = request.headers
    const duplicates = request.query.keep_both ? 'keep' : 'refuse'
    const creation = { ...readMetadata(metadata), sizeBytes, duplicates } as const
    const { uploadId, expiresAt } = await createUpload(deps, actorOf(request), creation)
    reply.headers({ location: `${path}/${uploadId}`, 'upload-offset': '0', 'upload-expires': expiresAt.toUTCString() })
    return await reply.code(201).send()
  })
}

function addState(api: Api, deps: RouteDeps): void {
  const head = {
    tags,
    summary: 'How far a resumable upload is',
    params: idParams,
    response: { 200: noBody('Told in headers.'), ...problems(401, 404, 412) },
  }
  api.head(`${path}/:id`, { schema: head }, async (request, reply) => {
    const upload = await findUpload(deps.db, actorOf(request), request.params.id)
    return await reply.headers({ ...stateHeaders(upload), 'upload-length': upload.size_bytes }).send()
  })
  const get = {
    tags,
    summary: 'A resumable upload, and what it was answered with',
    params: idParams,
    response: { 200: uploadState, ...problems(400, 401, 404) },
  }
  api.get(`${path}/:id`, { schema: get, exposeHeadRoute: false }, async (request) => {
    const upload = await findUpload(deps.db, actorOf(request), request.params.id)
    const { size_bytes, received_bytes, response_body, expires_at } = upload
    return { size_bytes, received_bytes, expires_at: toTime(expires_at), upload: response_body }
  })
}

function addPieces(api: Api, deps: RouteDeps): void {
  const schema = {
    tags,
    summary: 'Go on with a resumable upload',
    description: 'The document is safe, and its processing begun, when the answer to the last piece has come.',
    consumes: ['application/offset+octet-stream'],
    params: idParams,
    headers: pieceHeaders,
    response: {
      204: noBody('Done; the rest is told in headers.'),
      ...problems(400, 401, 402, 403, 404, 409, 412, 413, 415, 422, 423, 503),
    },
  }
  api.patch(`${path}/:id`, { schema }, async (request, reply) => {
    const signal = signalOf(request.raw)
    const leave = await deps.uploadGate.enter(signal)
    const { id: uploadId } = request.params
    try {
      const { 'upload-offset': offset } = request.headers
      const actor = actorOf(request)
      const { answered } = await continueUpload(deps, { actor, uploadId, offset, body: request.raw, signal })
      if (answered?.kind === 'first' && answered.status === 201) request.enqueuedFileId = answered.shellFileId
      if (answered?.kind === 'replayed') reply.header('idempotent-replayed', 'true')
      return await reply
        .code(204)
        .headers(stateHeaders(await findUpload(deps.db, actor, uploadId)))
        .send()
    } catch (error) {
      discardRest(request.raw, 2 * deps.config.uploads.maxBytes)
      throw error
    } finally {
      leave()
    }
  })
}

function addTermination(api: Api, { db }: RouteDeps): void {
  const schema = {
    tags,
    summary: 'Give a resumable upload up',
    params: idParams,
    response: { 204: noBody('Done; the rest is told in headers.'), ...problems(401, 404, 412, 423) },
  }
  api.delete(`${path}/:id`, { schema }, async (request, reply) => {
    const { id } = request.params
    const actor = actorOf(request)
    await findUpload(db, actor, id)
    if (!(await asActor(db, actor, (tx) => cancelResumableUpload(tx, id)))) throw uploadHeld({ retryAfterMs: 2_000 })
    return await reply.code(204).send()
  })
}

function stateHeaders({ received_bytes, expires_at, response_body }: KeptUpload): Record<string, string> {
  const state = { 'upload-offset': String(received_bytes), 'upload-expires': expires_at.toUTCString() }
  if (response_body === null) return state
  const { shell_file_id: id, job_id: jobId } = response_body
  const answer = { ...state, location: `/documents/${id}`, 'x-shell-file-id': id }
  return jobId === null ? answer : { ...answer, 'x-job-id': jobId }
}
