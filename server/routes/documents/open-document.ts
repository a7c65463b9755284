import type { FastifyRequest } from 'fastify'
import { asActor } from '../../../db/actor.ts'
import type { Tx } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { findDocument, listStages } from '../../../db/queries/documents.ts'
import { handBackOf } from '../../../db/queries/hand-back.ts'
import { findDocumentToRead } from '../../../db/queries/read-traces.ts'
import type { DocumentView, ReadTrace } from '../../../db/queries/read-traces.ts'
import type { ShellFile } from '../../../db/schema/documents.ts'
import { defineError } from '../../../platform/errors.ts'
import { pageNotRendered } from '../../../platform/rendering/render-page.ts'
import { actorOf } from '../../plugins/authentication/authentication.ts'
import { notFound } from '../../plugins/errors.ts'
import { noteRead } from '../../plugins/read-traces.ts'

export const scanPending = defineError('scan_pending', 409, 'The file is still being checked. Please try again soon.')
export const scanFailed = defineError(
  'scan_failed',
  422,
  'The file could not be checked for malware and is not handed out. Please have it processed again.',
)
export const fileInfected = defineError('file_infected', 422, 'The file holds malware and is not handed out.')

/** Runs the work with a document that the caller may see; one that does not exist and one of others answer alike. */
export async function changeDocument<T>(
  db: Database,
  request: FastifyRequest,
  documentId: string,
  work: (tx: Tx, file: ShellFile) => Promise<T>,
): Promise<T> {
  return await asActor(db, actorOf(request), async (tx) => {
    const file = await findDocument(tx, documentId)
    if (file === null) throw notFound()
    return await work(tx, file)
  })
}

export type WantedView = { readonly id: string; readonly view: DocumentView; readonly page?: number }

/** The same for showing it, or a part of it: the answer, if it is no problem, leaves a trace of who saw what. */
export async function readDocument<T>(
  db: Database,
  request: FastifyRequest,
  { id, view, page }: WantedView,
  work: (tx: Tx, file: ShellFile, trace: ReadTrace) => Promise<T>,
): Promise<T> {
  return await asActor(db, actorOf(request), async (tx) => {
    const found = await findDocumentToRead(tx, id, view)
    if (found === null) throw notFound()
    const { file, ground } = found
    const recordId = page === undefined ? file.id : `${file.id}/${page}`
    const trace = noteRead(request, { patientId: file.patientId, view: found.view, recordId, ground })
    return await work(tx, file, trace)
  })
}

/** What is to be done with the bytes: give them back as they came, or open them here. */
export type UseOfFile = 'hand_back' | 'render'

/** Lets pass only a file whose security scan has completed; `hand_back` also one that was refused without malware. */
export async function requireScanned(tx: Tx, file: ShellFile, use: UseOfFile): Promise<void> {
  const scan = (await listStages(tx, file.id)).find(({ stage }) => stage === 'security_scan')
  const isUnscanned = scan?.outcome?.scan?.malware === 'unscanned'
  const verdict = handBackOf(scan === undefined ? undefined : { ...scan, isUnscanned })
  if (verdict === 'pending') throw scanPending({ retryAfterMs: scanRetryMs })
  if (use === 'render' && scan?.status !== 'completed') throw pageNotRendered()
  if (verdict === 'infected') throw fileInfected()
  if (verdict === 'unchecked') throw scanFailed()
}

const scanRetryMs = 5_000
