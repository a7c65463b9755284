import { and, asc, eq, getTableColumns, inArray, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { shellFiles, type reviewStates } from '../schema/documents.ts'
import {
  entityProcessingAudit,
  factSources,
  medicalCodeAssignments,
  type confidences,
  type factReviews,
  type FactRow,
  type factTypes,
} from '../schema/facts.ts'
import { listDecisions } from './fact-decisions.ts'
import { mentionsInOtherFiles, type OtherMention } from './other-mentions.ts'
import { correctedWordsOf, wordsOf, type FactWords } from './fact-words.ts'

/** A fact as `GET /documents/:id/facts` shows it. */
export type ApiFact = FactWords & {
  readonly id: string
  readonly type: (typeof factTypes)[number]
  readonly code: { readonly system: string; readonly code: string; readonly display: string } | null
  readonly confidence: (typeof confidences)[number]
  readonly reason: string | null
  readonly review: (typeof factReviews)[number]
  /** Another one after every change: whoever decides says which one they have seen. */
  readonly version: string
  /** The last decision that stands, by which it can be taken back. */
  readonly decision_id: string | null
  /** What was found, where a person has corrected it. */
  readonly as_found: FactWords | null
  /** Waits for a person to say whose the document is, and is not part of the record. Once they have said so, it is not held. */
  readonly held: boolean
  /** Part of the record. What is not says why in `reason`. */
  readonly in_record: boolean
  /** A person said that it is not the same as what others say. */
  readonly is_separate: boolean
  /** Other documents in use that the record takes to say the same, newest first. */
  readonly also_in: readonly OtherMention[]
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
  readonly text_version: number
  readonly fact_id: string
}

/**
 * The facts of a file in reading order, each once: what was merged into a fact of the same file shows as further
 * sources of it. What was found is never left out: what has no place in the record is listed with the reason why.
 */
export async function listFacts(tx: Tx, shellFileId: string): Promise<ApiFact[]> {
  return (await listThings(tx, shellFileId)).map(({ fact }) => fact)
}

/** The thing that a fact is, or is a mention of. */
export async function findListedFact(tx: Tx, shellFileId: string, factId: string): Promise<ApiFact | null> {
  const things = await listThings(tx, shellFileId)
  return things.find(({ mentions }) => mentions.some((mention) => mention === factId))?.fact ?? null
}

type Thing = { readonly fact: ApiFact; readonly mentions: readonly string[] }

async function listThings(tx: Tx, shellFileId: string): Promise<Thing[]> {
  const reviewState = await reviewStateOf(tx, shellFileId)
  const rows = await factRows(tx, shellFileId)
  const sources = await sourcesByFact(tx, shellFileId)
  const codes = await codeByFact(tx, shellFileId)
  const decisions = await decisionByFact(tx, shellFileId)
  const others = await mentionsInOtherFiles(tx, shellFileId)
  return groupByThing(rows, decisions)
    .map((things) => ({
      fact: things[0],
      mentions: things.map((row) => row.id),
      places: distinctPlaces(things.flatMap((row) => sources.get(row.id) ?? [])),
    }))
    .toSorted((a, b) => firstStart(a.places) - firstStart(b.places))
    .map(({ fact, mentions, places }) => {
      const [code, decision] = [codes.get(fact.id) ?? null, decisions.get(fact.id) ?? null]
      const alsoIn = others.get(fact.eventId ?? '') ?? []
      return { mentions, fact: apiFact(fact, { places, code, decision, reviewState, alsoIn }) }
    })
}

type ReviewState = (typeof reviewStates)[number]

async function reviewStateOf(tx: Tx, shellFileId: string): Promise<ReviewState> {
  const [file] = await tx
    .select({ reviewState: shellFiles.reviewState })
    .from(shellFiles)
    .where(eq(shellFiles.id, shellFileId))
  return file?.reviewState ?? 'none'
}

type VersionedRow = FactRow & { readonly version: string }

async function factRows(tx: Tx, shellFileId: string): Promise<VersionedRow[]> {
  return await tx
    .select({
      ...getTableColumns(entityProcessingAudit),
      version: sql<string>`public.fact_version(${entityProcessingAudit.updatedAt})`,
    })
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
        text_version: row.textVersion,
        fact_id: row.factId,
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

type StandingDecision = { readonly decisionId: string; readonly factId: string }

/** The last decision on each fact that has not been taken back. */
async function decisionByFact(tx: Tx, shellFileId: string): Promise<ReadonlyMap<string, StandingDecision>> {
  const standing = (await listDecisions(tx, shellFileId)).filter(({ undoneAt }) => undoneAt === null)
  // Newest first, so that the oldest is set first.
  return new Map(
    standing
      .toReversed()
      .flatMap(({ decisionId, factIds }) =>
        factIds.map((id) => [id, { decisionId, factId: factIds[0] ?? id }] as const),
      ),
  )
}

/**
 * The fact that a person decided on leads, else the admitted one; where the event says what another file says, the oldest of the
 * merged ones. What has no event any more because a person said so stays together as they decided on it.
 */
function groupByThing(
  rows: readonly VersionedRow[],
  decisions: ReadonlyMap<string, StandingDecision>,
): [VersionedRow, ...VersionedRow[]][] {
  const leaderOf = (row: FactRow) => decisions.get(row.id)?.factId ?? row.id
  const isNamed = (row: FactRow) => decisions.get(row.id)?.factId === row.id
  const rank = (row: FactRow) => (isNamed(row) ? 0 : row.decision === 'admitted' ? 1 : 2)
  const groups = Map.groupBy(rows, (row) => row.eventId ?? leaderOf(row))
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.toSorted((a, b) => rank(a) - rank(b))
    return first === undefined ? [] : [[first, ...others] satisfies [VersionedRow, ...VersionedRow[]]]
  })
}

function distinctPlaces(places: readonly ApiSource[]): ApiSource[] {
  // Where two mentions stand on the same words, the one that leads is named.
  const seen = new Map<string, ApiSource>()
  for (const place of places) {
    const key = `${place.text_version}:${place.start}:${place.length}:${place.box.join(':')}`
    if (!seen.has(key)) seen.set(key, place)
  }
  return [...seen.values()]
}

const firstStart = (places: readonly ApiSource[]) => places[0]?.start ?? 0

type Context = {
  readonly places: readonly ApiSource[]
  readonly code: ApiFact['code']
  readonly decision: StandingDecision | null
  readonly reviewState: ReviewState
  readonly alsoIn: readonly OtherMention[]
}

function apiFact(row: VersionedRow, { places, code, decision, reviewState, alsoIn }: Context): ApiFact {
  const standing = standingOf(row, reviewState)
  const found = wordsOf(row)
  const said = correctedWordsOf(row) ?? found
  return {
    id: row.id,
    type: row.factType,
    ...said,
    code,
    // Until pass 2 has checked a fact, nobody may rely on it.
    confidence: row.confidence ?? 'check',
    reason: standing.reason,
    review: standing.review,
    version: row.version,
    decision_id: decision?.decisionId ?? null,
    as_found: said === found ? null : found,
    held: standing.held,
    in_record: row.decision === 'admitted' || row.decision === 'merged',
    is_separate: row.apartId !== null,
    also_in: alsoIn,
    sources: places,
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
  if (review === 'rejected') return { reason: row.decisionReason, review, held: false }
  const reasons = [isOutside ? row.decisionReason : null, row.confidenceReason ?? notCheckedYet(row)]
  return { reason: reasons.filter((reason) => reason !== null).join(' ') || null, review, held: false }
}

const rejectedReason =
  'A person decided that this document is not about the person of this profile. Nothing of it is in the record.'

const notCheckedYet = (row: FactRow) => (row.confidence === null ? 'Found, but not checked yet.' : null)
