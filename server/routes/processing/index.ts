import { asActor } from '../../../db/actor.ts'
import { findDocument, listStages, reprocessDocument } from '../../../db/queries/documents.ts'
import type { ShellFileStage, Stage } from '../../../db/schema/documents.ts'
import { stages } from '../../../db/schema/documents.ts'
import { defineError } from '../../../platform/errors.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { forbidden, notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import { raised, raisedAs } from '../../plugins/raised-errors.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { processBody, processedSchema } from './schema.ts'

export const cannotProcess = defineError(
  'cannot_process',
  409,
  'This document cannot be processed from there just now.',
)

export function processingRoutes(api: Api, { db }: RouteDeps): void {
  api.post(
    '/api/process-document',
    {
      schema: {
        tags: ['documents'],
        summary: 'Process a document again, from a stage on',
        body: processBody,
        response: { 202: processedSchema, ...problems(400, 401, 403, 404, 409) },
      },
    },
    async (request, reply) => {
      const { shell_file_id: documentId, stages: wanted } = request.body
      const processed = await asActor(db, actorOf(request), async (tx) => {
        if ((await findDocument(tx, documentId)) === null) throw notFound()
        const fromStage = earliest(wanted) ?? nextStage(await listStages(tx, documentId))
        return { fromStage, jobId: await reprocessDocument(tx, documentId, fromStage) }
      }).catch(
        raisedAs({
          // The document is seen, so it is the right to change it that is missing.
          [raised.noDataFound]: () => forbidden(),
          [raised.notInPrerequisiteState]: () => cannotProcess(),
        }),
      )
      return await reply.code(202).send({
        shell_file_id: documentId,
        job_id: processed.jobId,
        from_stage: processed.fromStage,
        status: 'enqueued',
      })
    },
  )
}

function earliest(wanted: readonly Stage[] | undefined): Stage | null {
  return wanted === undefined ? null : (stages.find((stage) => wanted.includes(stage)) ?? null)
}

function nextStage(rows: readonly ShellFileStage[]): Stage {
  return rows.find((row) => row.status === 'failed' || row.status === 'pending')?.stage ?? stages[0]
}
