import type { z } from 'zod'
import { asActor } from '../../../db/actor.ts'
import { findDataExport, listDataExports, openDataExport, requestDataExport } from '../../../db/queries/exports.ts'
import type { DataExport } from '../../../db/queries/exports.ts'
import { findProfile } from '../../../db/queries/profiles.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { bytes, problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { idParams, toTime, toTimeOrNull } from '../fields.ts'
import { exportListSchema, exportParams, exportSchema } from './schema.ts'

export const exportNotReady = defineError('export_not_ready', 409, 'The archive is still being made.')
export const exportGone = defineError(
  'export_gone',
  410,
  'This archive is not there any more. Please ask for a new one.',
)

const tags = ['privacy']
const notReadyRetryMs = 10_000

/** Everything of one person, for that person and for guardians: never a matter of plans, consents or restrictions. */
export function exportRoutes(api: Api, deps: RouteDeps): void {
  requestRoute(api, deps)
  listRoute(api, deps)
  contentRoute(api, deps)
}

function requestRoute(api: Api, { db }: RouteDeps): void {
  api.post(
    '/profiles/:id/export',
    {
      schema: {
        tags,
        summary: 'Ask for an archive of everything that is kept of a person',
        description: 'While one is being made, asking again answers with that one.',
        params: idParams,
        response: { 202: exportSchema, ...problems(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      const profileId = request.params.id
      const made = await asActor(db, actorOf(request), async (tx) => {
        if ((await findProfile(tx, profileId)) === null) throw notFound()
        return await requestDataExport(tx, profileId)
      })
      return await reply
        .code(202)
        .header('location', `/profiles/${profileId}/exports/${made.id}/content`)
        .send(present(made))
    },
  )
}

function listRoute(api: Api, { db }: RouteDeps): void {
  api.get(
    '/profiles/:id/exports',
    {
      schema: {
        tags,
        summary: 'Exports of a person, and how each stands',
        params: idParams,
        response: { 200: exportListSchema, ...problems(400, 401, 404) },
      },
    },
    (request) =>
      asActor(db, actorOf(request), async (tx) => {
        if ((await findProfile(tx, request.params.id)) === null) throw notFound()
        return { exports: (await listDataExports(tx, request.params.id)).map(present) }
      }),
  )
}

function contentRoute(api: Api, { db, store }: RouteDeps): void {
  api.get(
    '/profiles/:id/exports/:export_id/content',
    {
      schema: {
        tags,
        summary: 'The archive, as a zip file',
        params: exportParams,
        response: { 200: bytes('application/zip', 'The archive'), ...problems(400, 401, 404, 409, 410) },
      },
    },
    async (request, reply) => {
      const { id: profileId, export_id: exportId } = request.params
      const opened = await asActor(db, actorOf(request), async (tx) => {
        if ((await findDataExport(tx, exportId))?.patientId !== profileId) throw notFound()
        return await openDataExport(tx, exportId)
      }).catch(raisedAs({ [raised.noDataFound]: () => notFound() }))
      if (opened.status === 'requested') throw exportNotReady({ retryAfterMs: notReadyRetryMs })
      if (opened.status !== 'ready' || opened.storage_key === null) throw exportGone()

      const { stream, sizeBytes } = await store.open(opened.storage_key)
      const day = opened.ready_at === null ? '' : `-${toTime(opened.ready_at).slice(0, 10)}`
      return await reply
        .header('cache-control', 'private, no-store')
        .header('content-security-policy', "default-src 'none'; sandbox")
        .header('content-disposition', `attachment; filename="exora-export${day}.zip"`)
        .header('content-length', String(sizeBytes))
        .type('application/zip')
        .send(stream)
    },
  )
}

function present(row: DataExport): z.output<typeof exportSchema> {
  return {
    export_id: row.id,
    patient_id: row.patientId,
    job_id: row.jobId,
    status: row.status,
    requested_at: toTime(row.requestedAt),
    ready_at: toTimeOrNull(row.readyAt),
    expires_at: toTimeOrNull(row.expiresAt),
    size_bytes: row.sizeBytes,
    sha256: row.sha256,
  }
}
