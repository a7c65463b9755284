import type { z } from 'zod'
import type { ApiFact } from '../../../db/queries/facts.ts'
import type { IdentityReview } from '../../../db/queries/documents.ts'
import type { ShellFile, ShellFileStage } from '../../../db/schema/documents.ts'
import { toTime, toTimeOrNull } from '../fields.ts'
import type { documentListSchema, factSchema, identityReviewSchema, stageSchema } from './schema.ts'

/** Rows as the API words them. */
export function presentHead(file: ShellFile): z.output<typeof documentListSchema>['documents'][number] {
  return {
    id: file.id,
    patient_id: file.patientId,
    filename: file.filename,
    mime_type: file.mimeType,
    size_bytes: file.sizeBytes,
    sha256: file.sha256,
    status: file.status,
    review_state: file.reviewState,
    document_class: file.documentClass,
    document_date: file.documentDate,
    page_count: file.pageCount,
    quality_grade: file.qualityGrade,
    note: file.note,
    processing_error: file.processingError,
    created_at: toTime(file.createdAt),
    updated_at: toTime(file.updatedAt),
  }
}

export function presentStage(row: ShellFileStage): z.output<typeof stageSchema> {
  return {
    stage: row.stage,
    status: row.status,
    started_at: toTimeOrNull(row.startedAt),
    finished_at: toTimeOrNull(row.finishedAt),
    pages_done: row.pagesDone,
    pages_total: row.pagesTotal,
    error: row.error,
    notices: [...(row.outcome?.notices ?? [])],
  }
}

export function presentReview(review: IdentityReview | null): z.output<typeof identityReviewSchema> | null {
  if (review === null) return null
  return { id: review.id, status: review.status, reasons: review.reasons, decided_at: toTimeOrNull(review.decidedAt) }
}

export function presentFact(fact: ApiFact): z.output<typeof factSchema> {
  return {
    ...fact,
    also_in: [...fact.also_in],
    sources: fact.sources.map((source) => ({ ...source, box: [...source.box] })),
  }
}
