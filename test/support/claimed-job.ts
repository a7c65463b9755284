import { randomUUID } from 'node:crypto'
import type { ClaimedRow } from '../../db/queries/claims.ts'

/** A job as a claim gives it, for what needs no database. */
export const claimedJob = (fields: Partial<ClaimedRow> = {}): ClaimedRow => ({
  id: randomUUID(),
  type: 'ocr',
  lane: 'fast_queue',
  payload: { shell_file_id: randomUUID() },
  attemptToken: randomUUID(),
  attempt: 1,
  patientId: null,
  shellFileId: null,
  initiatedBy: null,
  correlationId: null,
  priority: 5,
  fairTurn: 0,
  dueAtMs: 0,
  waitedMs: 0,
  ...fields,
})
