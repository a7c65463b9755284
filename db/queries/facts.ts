import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { shellFiles, type reviewStates } from '../schema/documents.ts'
import {
  entityProcessingAudit,
  factSources,
  medicalCodeAssignments,
  type confidences,
  type factReviews,
  type FactRow,
  type factStatuses,
  type factTypes,
} from '../schema/facts.ts'

/** A fact as `GET /documents/:id/facts` shows it. */
export type ApiFact = {
  readonly id: string
  readonly type: (typeof factTypes)[number]
  readonly text: string
  readonly code: { readonly system: string; readonly code: string; readonly display: string } | null
  readonly value: string | null
  readonly unit: string | null
  readonly reference_range: string | null
  /** ISO 8601, as exact as printed. */
  readonly date: string | null
  readonly status: (typeof factStatuses)[number]
  readonly confidence: (typeof confidences)[number]
  readonly reason: string | null
  readonly review: (typeof factReviews)[number]
  /** Waits for a person to say whose the document is, and is not part of the record. Once they have said so, it is not held. */
  readonly held: boolean
  /** Part of the record. What is not says why in `reason`. */
  readonly in_record: boolean
  readonly sources: readonly ApiSource[]
  readonly found_by: {
    readonly pass: number
    readonly provider: string
    readonly model: string
    readonly prompt_version: string | null
  }
}

/** `start` and `length` count UTF-16 code units in the file's text; the box is in fractions of the upright page. */
export type ApiSource = {
  readonly page: number
  readonly box: readonly [number, number, number, number]
  readonly quote: string
  readonly start: number
  readonly length: number
}

/**
 * The facts of a file in reading order, each once: what was merged into a fact of the same file shows as further
 * sources of it. What was found is never left out: what has no place in the record is listed with the reason why.
 */
export async function listFacts(tx: Tx, shellFileId: string): Promise<ApiFact[]> {
  const [reviewState, rows, sources, codes] = [
    await reviewStateOf(tx, shellFileId),
    await factRows(tx, shellFileId),
    await sourcesByFact(tx, shellFileId),
    await codeByFact(tx, shellFileId),
  ]
  return groupByEvent(rows)
    .map(([first, ...others]) => ({
      fact: first,
      places: distinctPlaces([first, ...others].flatMap((row) => sources.get(row.id) ?? [])),
    }))
    .toSorted((a, b) => firstStart(a.places) - firstStart(b.places))
    .map(({ fact, places }) => apiFact(fact, places, codes.get(fact.id) ?? null, reviewState))
}

type ReviewState = (typeof reviewStates)[number]

async function reviewStateOf(tx: Tx, shellFileId: string): Promise<ReviewState> {
  const [file] = await tx
    .select({ reviewState: shellFiles.reviewState })
    .from(shellFiles)
    .where(eq(shellFiles.id, shellFileId))
  return file?.reviewState ?? 'none'
}

async function factRows(tx: Tx, shellFileId: string): Promise<FactRow[]> {
  return await tx
    .select()
    .from(entityProcessingAudit)
    .where(eq(entityProcessingAudit.shellFileId, shellFileId))
    .orderBy(asc(entityProcessingAudit.id))
}

async function sourcesByFact(tx: Tx, shellFileId: string): Promise<ReadonlyMap<string, ApiSource[]>> {
  const rows = await tx
    .select()
    .from(factSources)
    .where(eq(factSources.shellFileId, shellFileId))
    .orderBy(asc(factSources.factId), asc(factSources.ordinal))
  const byFact = Map.groupBy(rows, (row) => row.factId)
  return new Map(
    [...byFact].map(([factId, places]) => [
      factId,
      places.map((row) => ({
        page: row.pageNumber,
        box: [row.x0, row.y0, row.x1, row.y1] as const,
        quote: row.quote,
        start: row.textStart,
        length: row.textLength,
      })),
    ]),
  )
}

async function codeByFact(tx: Tx, shellFileId: string): Promise<ReadonlyMap<string, NonNullable<ApiFact['code']>>> {
  const ofFile = tx
    .select({ id: entityProcessingAudit.id })
    .from(entityProcessingAudit)
    .where(eq(entityProcessingAudit.shellFileId, shellFileId))
  const rows = await tx
    .select({
      factId: medicalCodeAssignments.factId,
      system: medicalCodeAssignments.codeSystem,
      code: medicalCodeAssignments.code,
      display: medicalCodeAssignments.display,
    })
    .from(medicalCodeAssignments)
    .where(and(inArray(medicalCodeAssignments.factId, ofFile), sql`${medicalCodeAssignments.isSelected}`))
  return new Map(rows.map(({ factId, ...code }) => [factId, code]))
}

/** The admitted fact leads; where the event was made by another file, the oldest of the merged ones does. */
function groupByEvent(rows: readonly FactRow[]): [FactRow, ...FactRow[]][] {
  const groups = Map.groupBy(rows, (row) => row.eventId ?? row.id)
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.toSorted((a, b) => rank(a) - rank(b))
    return first === undefined ? [] : [[first, ...others] satisfies [FactRow, ...FactRow[]]]
  })
}

const rank = (row: FactRow) => (row.decision === 'admitted' ? 0 : 1)

function distinctPlaces(places: readonly ApiSource[]): ApiSource[] {
  const seen = new Map(places.map((place) => [`${place.start}:${place.length}:${place.box.join(':')}`, place]))
  return [...seen.values()]
}

const firstStart = (places: readonly ApiSource[]) => places[0]?.start ?? 0

function apiFact(
  row: FactRow,
  sources: readonly ApiSource[],
  code: ApiFact['code'],
  reviewState: ReviewState,
): ApiFact {
  const standing = standingOf(row, reviewState)
  return {
    id: row.id,
    type: row.factType,
    text: row.factText,
    code,
    value: row.value,
    unit: row.unit,
    reference_range: row.referenceRange,
    date: isoDate(row.foundDate),
    // What is present in the family is not present in the patient.
    status: row.factType === 'family_history' && row.factStatus === 'present' ? 'family' : row.factStatus,
    // Until pass 2 has checked a fact, nobody may rely on it.
    confidence: row.confidence ?? 'check',
    reason: standing.reason,
    review: standing.review,
    held: standing.held,
    in_record: row.decision === 'admitted' || row.decision === 'merged',
    sources,
    found_by: {
      pass: row.foundByPass,
      provider: row.foundByProvider,
      model: row.foundByModel,
      prompt_version: row.promptVersion,
    },
  }
}

type Standing = Pick<ApiFact, 'reason' | 'review' | 'held'>

/**
 * Whether a fact waits, and why it is where it is. A person decides on the whole document; its held rows stay as they
 * are, so that a second look can still accept them.
 */
function standingOf(row: FactRow, reviewState: ReviewState): Standing {
  const { review } = row
  if (row.decision === 'held' && reviewState === 'rejected')
    return { reason: rejectedReason, review: 'rejected', held: false }
  if (row.decision === 'held' && reviewState !== 'accepted') return { reason: row.decisionReason, review, held: true }
  const isOutside = row.decision === 'noted' || row.decision === 'refused'
  const reasons = [isOutside ? row.decisionReason : null, row.confidenceReason ?? notCheckedYet(row)]
  return { reason: reasons.filter((reason) => reason !== null).join(' ') || null, review, held: false }
}

const rejectedReason =
  'A person decided that this document is not about the person of this profile. Nothing of it is in the record.'

const notCheckedYet = (row: FactRow) => (row.confidence === null ? 'Found, but not checked yet.' : null)

function isoDate(found: unknown): string | null {
  if (typeof found !== 'object' || found === null || !('iso' in found)) return null
  return typeof found.iso === 'string' ? found.iso : null
}
