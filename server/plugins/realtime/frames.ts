import type { FeedItem, Position } from '../../../db/queries/realtime.ts'
import { placeOf, settledAt, wordEventId } from './position.ts'

const nowS = () => Math.floor(Date.now() / 1000)

/** A page of the feed, each item in the bytes that everybody gets who may see it. */
export function wordItems(items: readonly FeedItem[], { since, until }: Position): readonly Buffer[] {
  const toldAtS = nowS()
  return items.map((item) => {
    const id = wordEventId({ position: { since, until, last: placeOf(item) }, toldAtS })
    return Buffer.from(`id: ${id}\nevent: ${nameOf(item)}\ndata: ${JSON.stringify(saidOf(item))}\n\n`)
  })
}

/** From here on the client is told everything. */
export const wordReady = (snapshot: string) => wordMark('ready', snapshot, {})
/** Between its id and here something is missing: the client has to read anew what it shows. */
export const wordReset = (snapshot: string, reason: 'too_old' | 'unknown') => wordMark('reset', snapshot, { reason })

function wordMark(event: string, snapshot: string, data: object): string {
  const id = wordEventId({ position: settledAt(snapshot), toldAtS: nowS() })
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}

function nameOf(item: FeedItem): string {
  if (item.kind === 'notification') return 'notification'
  return item.row.stage === null ? 'file' : 'stage'
}

function saidOf(item: FeedItem): object {
  if (item.kind === 'notification') {
    const { id, kind, patientId, subjectId, createdAt } = item.row
    return { id, kind, patient_id: patientId, subject_id: subjectId, at: createdAt.toISOString() }
  }
  const { row } = item
  return {
    id: row.id,
    document_id: row.shellFileId,
    patient_id: row.patientId,
    stage: row.stage,
    status: row.stageStatus,
    file_status: row.fileStatus,
    pages_done: row.pagesDone,
    pages_total: row.pagesTotal,
    at: row.createdAt.toISOString(),
  }
}
