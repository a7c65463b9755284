import { and, asc, eq, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { shellFilePages } from '../schema/documents.ts'
import { packWords, unpackWords, type StoredWord } from './page-words.ts'

export const storedPageSources = ['text_layer', 'ocr', 'merged', 'structured'] as const
export const storedQualityGrades = ['good', 'fair', 'poor', 'unreadable'] as const

/** A page as it is kept; structurally the `Page` of the document model, which this floor may not import. */
export type StoredPage = {
  readonly number: number
  readonly widthPt: number
  readonly heightPt: number
  readonly rotation: 0 | 90 | 180 | 270
  readonly source: (typeof storedPageSources)[number]
  readonly engine: string
  readonly quality: { readonly grade: (typeof storedQualityGrades)[number]; readonly reason: string | null }
  readonly words: readonly StoredWord[]
  /** What the file says as data; parsed by who knows its shape. */
  readonly structure?: unknown
}

export type PageSummary = Omit<StoredPage, 'words' | 'structure'> & { readonly wordCount: number }

/** Reading a page again replaces it: the last reading of a page is the page. */
export async function savePages(tx: Tx, shellFileId: string, pages: readonly StoredPage[]): Promise<void> {
  if (pages.length === 0) return
  await tx
    .insert(shellFilePages)
    .values(pages.map((page) => ({ shellFileId, ...rowOf(page) })))
    .onConflictDoUpdate({ target: [shellFilePages.shellFileId, shellFilePages.pageNumber], set: replacement })
}

export async function savePage(tx: Tx, shellFileId: string, page: StoredPage): Promise<void> {
  await savePages(tx, shellFileId, [page])
}

function rowOf(page: StoredPage) {
  return {
    pageNumber: page.number,
    widthPt: page.widthPt,
    heightPt: page.heightPt,
    rotation: page.rotation,
    source: page.source,
    engine: page.engine,
    qualityGrade: page.quality.grade,
    qualityReason: page.quality.reason,
    wordCount: page.words.length,
    ...packWords(page.words),
    structure: page.structure ?? null,
  }
}

const replacement = {
  widthPt: sql`excluded.width_pt`,
  heightPt: sql`excluded.height_pt`,
  rotation: sql`excluded.rotation`,
  source: sql`excluded.source`,
  engine: sql`excluded.engine`,
  qualityGrade: sql`excluded.quality_grade`,
  qualityReason: sql`excluded.quality_reason`,
  wordCount: sql`excluded.word_count`,
  words: sql`excluded.words`,
  boxes: sql`excluded.boxes`,
  confidences: sql`excluded.confidences`,
  grouping: sql`excluded.grouping`,
  textStart: sql`null`,
  textLength: sql`null`,
}

export async function loadPage(tx: Tx, shellFileId: string, pageNumber: number): Promise<StoredPage | null> {
  const [row] = await tx
    .select()
    .from(shellFilePages)
    .where(and(eq(shellFilePages.shellFileId, shellFileId), eq(shellFilePages.pageNumber, pageNumber)))
  return row === undefined ? null : pageOf(row)
}

export async function loadPages(tx: Tx, shellFileId: string): Promise<StoredPage[]> {
  const rows = await tx
    .select()
    .from(shellFilePages)
    .where(eq(shellFilePages.shellFileId, shellFileId))
    .orderBy(asc(shellFilePages.pageNumber))
  return rows.map(pageOf)
}

/** What a list of pages needs, without unpacking a word. */
export async function listPages(tx: Tx, shellFileId: string): Promise<PageSummary[]> {
  const rows = await tx
    .select(summaryColumns)
    .from(shellFilePages)
    .where(eq(shellFilePages.shellFileId, shellFileId))
    .orderBy(asc(shellFilePages.pageNumber))
  return rows.map((row) => ({ ...headOf(row), wordCount: row.wordCount }))
}

/** Pages are saved as they come, so there may be gaps. */
export async function savedPages(tx: Tx, shellFileId: string): Promise<number[]> {
  const rows = await tx
    .select({ number: shellFilePages.pageNumber })
    .from(shellFilePages)
    .where(eq(shellFilePages.shellFileId, shellFileId))
    .orderBy(asc(shellFilePages.pageNumber))
  return rows.map(({ number }) => number)
}

export async function deletePages(tx: Tx, shellFileId: string): Promise<void> {
  await tx.delete(shellFilePages).where(eq(shellFilePages.shellFileId, shellFileId))
}

/** Where each page lies in the file's text, as mapping found it. */
export async function savePageSpans(
  tx: Tx,
  shellFileId: string,
  spans: readonly { readonly number: number; readonly start: number; readonly length: number }[],
): Promise<void> {
  const places = JSON.stringify(spans.map(({ number, start, length }) => ({ number, start, length })))
  await tx.execute(sql`
    update public.shell_file_pages as page
    set text_start = place.start,
        text_length = place.length
    from jsonb_to_recordset(${places}::text::jsonb) as place (number int, start int, length int)
    where page.shell_file_id = ${shellFileId}
      and page.page_number = place.number
  `)
}

type PageRow = typeof shellFilePages.$inferSelect
type HeadRow = Pick<PageRow, Exclude<keyof typeof summaryColumns, 'wordCount'>>

const summaryColumns = {
  pageNumber: shellFilePages.pageNumber,
  widthPt: shellFilePages.widthPt,
  heightPt: shellFilePages.heightPt,
  rotation: shellFilePages.rotation,
  source: shellFilePages.source,
  engine: shellFilePages.engine,
  qualityGrade: shellFilePages.qualityGrade,
  qualityReason: shellFilePages.qualityReason,
  wordCount: shellFilePages.wordCount,
}

function pageOf(row: PageRow): StoredPage {
  return { ...headOf(row), words: unpackWords(row), structure: row.structure }
}

function headOf(row: HeadRow): Omit<StoredPage, 'words' | 'structure'> {
  return {
    number: row.pageNumber,
    widthPt: row.widthPt,
    heightPt: row.heightPt,
    rotation: knownWord([0, 90, 180, 270], row.rotation, 'rotation'),
    source: knownWord(storedPageSources, row.source, 'source'),
    engine: row.engine,
    quality: {
      grade: knownWord(storedQualityGrades, row.qualityGrade, 'quality_grade'),
      reason: row.qualityReason,
    },
  }
}

function knownWord<const W>(words: readonly W[], value: unknown, column: string): W {
  const known = words.find((word) => word === value)
  if (known === undefined) throw new Error(`shell_file_pages.${column} holds a word that nobody writes`)
  return known
}
