import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  customType,
  date,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { authUsers } from './auth-users.ts'
import { at, correlationId, createdAt, id, oneOf, writtenBy } from './columns.ts'
import { userProfiles } from './identity.ts'

const bytea = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

/** The stages of the pipeline, in order; also the job types that run them. */
export const stages = ['security_scan', 'ocr', 'spatial_mapping', 'pass1_find', 'pass2_code', 'pass3_narrate'] as const
export type Stage = (typeof stages)[number]
/** `held`: done as far as it may go until a person decides (identity gate); `skipped`: not needed or not allowed. */
export const stageStatuses = ['pending', 'running', 'completed', 'held', 'failed', 'skipped'] as const
export type StageStatus = (typeof stageStatuses)[number]
/** Derived from the stages by a trigger, never written by code. */
export const fileStatuses = ['uploaded', 'processing', 'completed', 'needs_review', 'failed'] as const
export const reviewStates = ['none', 'pending', 'accepted', 'rejected'] as const

/** What a failed stage tells the people who can act on it. `message` is safe to show a patient. */
export type StageError = { readonly code: string; readonly message: string }
/** What a person should know of a file that a stage let pass. Safe to show a patient. */
export type StageNotice = { readonly code: string; readonly message: string }
/** How a stage came to its end, beside its status. */
export type StageOutcome = {
  readonly notices: readonly StageNotice[]
  /** `malware` is what the scanner said, and by which signatures; null where the file was refused before. */
  readonly scan?: {
    readonly verdict: string
    readonly findings: readonly string[]
    readonly malware: 'clean' | 'locked' | 'infected' | 'unscanned' | null
    readonly checked_with: readonly { scanner: string; version: string; signatures: string | null }[]
  }
}

export const shellFiles = pgTable(
  'shell_files',
  {
    id: id(),
    patientId: uuid()
      .notNull()
      .references(() => userProfiles.id, { onDelete: 'restrict' }),
    uploadedBy: uuid().references(() => authUsers.id, { onDelete: 'set null' }),
    filename: text().notNull(),
    mimeType: text().notNull(),
    sizeBytes: bigint({ mode: 'number' }).notNull(),
    sha256: text().notNull(),
    /** Allotted by the server; says nothing. */
    storageKey: text().notNull().unique('shell_files_storage_key_key'),
    status: text({ enum: fileStatuses }).notNull().default('uploaded'),
    reviewState: text({ enum: reviewStates }).notNull().default('none'),
    pageCount: integer(),
    qualityGrade: text(),
    documentClass: text(),
    documentDate: date({ mode: 'string' }),
    locale: text(),
    note: text(),
    estimatedPages: integer().notNull().default(1),
    /** A copy of bytes that the patient already has, kept on request (`keep_both=true`). */
    isKeptCopy: boolean().notNull().default(false),
    processingError: jsonb().$type<StageError & { stage: Stage }>(),
    correlationId: correlationId(),
    deletedAt: at(),
    createdAt: createdAt(),
    updatedAt: createdAt(),
  },
  (table) => [
    index('shell_files_patient_idx').on(table.patientId, table.createdAt.desc(), table.id.desc()),
    uniqueIndex('shell_files_content_idx')
      .on(table.patientId, table.sha256)
      .where(sql`deleted_at is null and not is_kept_copy`),
    index('shell_files_bin_idx')
      .on(table.deletedAt)
      .where(sql`deleted_at is not null`),
    uniqueIndex('shell_files_id_patient_key').on(table.id, table.patientId),
    check('shell_files_status_check', oneOf('status', fileStatuses)),
    check('shell_files_review_state_check', oneOf('review_state', reviewStates)),
    check('shell_files_size_check', sql`size_bytes > 0`),
    check('shell_files_sha256_check', sql`sha256 ~ '^[0-9a-f]{64}$'`),
    check('shell_files_filename_check', sql`length(filename) between 1 and 255`),
    check('shell_files_note_check', sql`length(note) <= 2000`),
  ],
).enableRLS()

/** One row per stage, made with the file; a retry starts at the first that has not completed. */
export const shellFileStages = pgTable(
  'shell_file_stages',
  {
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    stage: text({ enum: stages }).notNull(),
    position: smallint().notNull(),
    status: text({ enum: stageStatuses }).notNull().default('pending'),
    /** Of the code that ran it, so that a better reader or extractor can find what it should do again. */
    version: text(),
    /** Pages done so far and in all, where the stage goes page by page. */
    pagesDone: integer(),
    pagesTotal: integer(),
    error: jsonb().$type<StageError>(),
    outcome: jsonb().$type<StageOutcome>(),
    startedAt: at(),
    finishedAt: at(),
    /** It had ended before, and runs again beside a document that is done: a story that is told anew. */
    repeats: boolean().notNull().default(false),
  },
  (table) => [
    // Few: taken while the malware scanner was away.
    index('shell_file_stages_unscanned_idx')
      .on(table.shellFileId)
      .where(sql`stage = 'security_scan' and outcome #>> '{scan,malware}' = 'unscanned'`),
    primaryKey({ name: 'shell_file_stages_pkey', columns: [table.shellFileId, table.stage] }),
    check('shell_file_stages_stage_check', oneOf('stage', stages)),
    check('shell_file_stages_status_check', oneOf('status', stageStatuses)),
  ],
).enableRLS()

/** What happened to a file, in order: the source of SSE, replayed by `Last-Event-ID`. Ids and states only. */
export const shellFileEvents = pgTable(
  'shell_file_events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    patientId: uuid().notNull(),
    stage: text({ enum: stages }),
    stageStatus: text({ enum: stageStatuses }),
    fileStatus: text({ enum: fileStatuses }).notNull(),
    pagesDone: integer(),
    pagesTotal: integer(),
    createdAt: createdAt(),
    writtenBy: writtenBy(),
  },
  (table) => [
    index('shell_file_events_file_idx').on(table.shellFileId, table.id),
    index('shell_file_events_written_idx').on(table.writtenBy),
    index('shell_file_events_patient_idx').on(table.patientId, table.writtenBy),
  ],
).enableRLS()

export const shellFilePages = pgTable(
  'shell_file_pages',
  {
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    pageNumber: integer().notNull(),
    widthPt: real().notNull(),
    heightPt: real().notNull(),
    rotation: smallint().notNull().default(0),
    source: text().notNull(),
    engine: text().notNull(),
    qualityGrade: text().notNull(),
    qualityReason: text(),
    wordCount: integer().notNull(),
    /** Words of the page, packed by column (see `db/queries/page-words.ts`): about 20 bytes a word after compression. */
    words: text().array().notNull(),
    /** Four little-endian uint16 per word: x0, y0, x1, y1 as fractions of 65535. */
    boxes: bytea().notNull(),
    /** One byte per word: confidence in 1/255. */
    confidences: bytea().notNull(),
    /** Per word, two little-endian uint16: block, line; the top bit of block marks bold. */
    grouping: bytea().notNull(),
    /** What the file says as data on this page, tied to its words (`clinical/document/structured-entry.ts`); null elsewhere. */
    structure: jsonb(),
    /** Set by mapping: where the page lies in the file's text. */
    textStart: integer(),
    textLength: integer(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ name: 'shell_file_pages_pkey', columns: [table.shellFileId, table.pageNumber] }),
    check('shell_file_pages_number_check', sql`page_number > 0`),
    check(
      'shell_file_pages_packed_check',
      sql`octet_length(boxes) = 8 * word_count and octet_length(confidences) = word_count and octet_length(grouping) = 4 * word_count`,
    ),
  ],
).enableRLS()

/**
 * Pictures of pages that were drawn, and where the store has them. All can be drawn again: what is a month old goes, and
 * they count against nobody's space.
 */
export const pagePictures = pgTable(
  'page_pictures',
  {
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    pageNumber: integer().notNull(),
    rotation: smallint().notNull(),
    widthPx: integer().notNull(),
    mimeType: text().notNull(),
    storageKey: text().notNull().unique('page_pictures_storage_key_key'),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({
      name: 'page_pictures_pkey',
      columns: [table.shellFileId, table.pageNumber, table.rotation, table.widthPx, table.mimeType],
    }),
    index('page_pictures_created_idx').on(table.createdAt),
    check('page_pictures_number_check', sql`page_number > 0`),
  ],
).enableRLS()

/** The one text of a file version, in reading order, with its layout; never edited once facts point into it. */
export const shellFileTexts = pgTable(
  'shell_file_texts',
  {
    shellFileId: uuid()
      .notNull()
      .references(() => shellFiles.id, { onDelete: 'cascade' }),
    version: integer().notNull(),
    content: text().notNull(),
    /** What `clinical/document/stored-layout.ts` packs: about 1.7 kB a page; boxes of its own, as a page may be read again. */
    layout: jsonb().notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ name: 'shell_file_texts_pkey', columns: [table.shellFileId, table.version] })],
).enableRLS()

/** One row per failed attempt. */
export const processingErrors = pgTable(
  'processing_errors',
  {
    id: id(),
    shellFileId: uuid().references(() => shellFiles.id, { onDelete: 'cascade' }),
    patientId: uuid(),
    jobId: uuid(),
    stage: text().notNull(),
    errorType: text().notNull(),
    errorCode: text().notNull(),
    /** Safe to show. */
    errorMessage: text().notNull(),
    retryCount: integer().notNull(),
    nextRetryAt: at(),
    createdAt: createdAt(),
  },
  (table) => [
    index('processing_errors_file_idx').on(table.shellFileId, table.createdAt),
    // Documents whose bytes the store did not have when they were last compared: few.
    index('processing_errors_missing_idx')
      .on(table.shellFileId)
      .where(sql`stage = 'storage' and error_code = 'object_not_found'`),
  ],
).enableRLS()

/** Bytes whose file has been erased and which the store still holds: listed in the transaction that erases, until they are gone. */
export const erasedObjects = pgTable('erased_objects', {
  storageKey: text().primaryKey(),
  erasedAt: createdAt(),
}).enableRLS()

export type ShellFile = typeof shellFiles.$inferSelect
export type ShellFilePage = typeof shellFilePages.$inferSelect
export type ShellFileStage = typeof shellFileStages.$inferSelect
