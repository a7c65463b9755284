import type { ShellFileEvent } from '../../../db/queries/documents.ts'
import type { FeedItem, Position } from '../../../db/queries/realtime.ts'
import type { RealtimeEvent } from '../../routes/realtime/schema.ts'
import { placeOf, settledAt, wordEventId } from './position.ts'

/** An event without its id, which says how far the reader is. */
type Said = RealtimeEvent extends infer One ? (One extends RealtimeEvent ? Omit<One, 'id'> : never) : never

const nowS = () => Math.floor(Date.now() / 1000)

/** A page of the feed, each item in the bytes that everybody gets who may see it. */
export function wordItems(items: readonly FeedItem[], { since, until }: Position): readonly Buffer[] {
  const toldAtS = nowS()
  return items.map((item) => {
    const id = wordEventId({ position: { since, until, last: placeOf(item) }, toldAtS })
    return Buffer.from(wordFrame(id, saidOf(item)))
  })
}

/** From here on the client is told everything. */
export const wordReady = (snapshot: string) => wordMark(snapshot, { event: 'ready', data: {} })
/** Between its id and here something is missing: the client has to read anew what it shows. */
export const wordReset = (snapshot: string, reason: 'too_old' | 'unknown') =>
  wordMark(snapshot, { event: 'reset', data: { reason } })

const wordMark = (snapshot: string, said: Said) =>
  wordFrame(wordEventId({ position: settledAt(snapshot), toldAtS: nowS() }), said)

const wordFrame = (id: string, { event, data }: Said) => `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`

function saidOf(item: FeedItem): Said {
  if (item.kind === 'notification') {
    const { id, kind, patientId, subjectId, createdAt } = item.row
    const data = { id, kind, patient_id: patientId, subject_id: subjectId, at: createdAt.toISOString() }
    return { event: 'notification', data }
  }
  const { event, data } = changeOf(item.row)
  return { event, data: { ...data, document_id: item.row.shellFileId, patient_id: item.row.patientId } }
}

/** What a row says, in the stream of its document and in that of an account. */
export function changeOf(row: ShellFileEvent) {
  const data = {
    id: row.id,
    stage: row.stage,
    status: row.stageStatus,
    file_status: row.fileStatus,
    pages_done: row.pagesDone,
    pages_total: row.pagesTotal,
    at: row.createdAt.toISOString(),
  }
  return { event: row.stage === null ? ('file' as const) : ('stage' as const), data }
}
