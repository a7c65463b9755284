import { eq, and, isNull, sql } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { shellFiles } from '../schema/documents.ts'
import type { ShellFile } from '../schema/documents.ts'
import { userProfiles } from '../schema/identity.ts'
import type { UserProfile } from '../schema/identity.ts'

/** What of a person's data is shown; `traced_views()` says in which table each lies. */
export const documentViews = [
  'document',
  'document_content',
  'document_events',
  'document_changes',
  'document_facts',
  'document_narratives',
  'document_pages',
  'document_review',
  'document_text',
  'page_image',
  'page_words',
] as const
export type DocumentView = (typeof documentViews)[number]
export const readViews = [...documentViews, 'document_list', 'profile_narratives'] as const
export type ReadView = (typeof readViews)[number]

const kinds = ['document', 'clinical', 'narrative'] as const
type Kind = (typeof kinds)[number]

const clinicalViews: ReadonlySet<ReadView> = new Set(['document_changes', 'document_facts', 'document_review'])
const kindOf = (view: DocumentView): Kind =>
  clinicalViews.has(view) ? 'clinical' : view === 'document_narratives' ? 'narrative' : 'document'

/** On what ground something was read, as the reading statement itself found it; times are PostgreSQL's own text. */
const readGround = z.object({
  trace_id: z.uuid(),
  read_at: z.string(),
  basis: z.string(),
  grant_id: z.uuid(),
  resource_type: z.enum(kinds),
})
export type ReadGround = z.output<typeof readGround>

/** A read as the log keeps it. */
export type ReadTrace = Omit<ReadGround, 'resource_type'> & {
  readonly account_id: string
  readonly patient_id: string
  readonly view: ReadView
  readonly record_id: string
  readonly correlation_id: string
  readonly client_address: string | null
  /** Equal reads within a moment are one row. */
  readonly count: number
}

/** Null where the caller reaches nothing of this kind. */
function groundOf(patientId: AnyPgColumn, resourceType: Kind) {
  const asked =
    resourceType === 'document'
      ? sql`public.read_basis(${patientId}, 'document')`
      : // Who may see the document and not its facts has seen the document.
        sql`coalesce(public.read_basis(${patientId}, ${resourceType}), public.read_basis(${patientId}, 'document'))`
  return sql<unknown>`${asked} || jsonb_build_object('trace_id', public.uuid_v7(), 'read_at', clock_timestamp())`
}

export type DocumentRead = { readonly file: ShellFile; readonly ground: ReadGround; readonly view: DocumentView }

/** The document, and the ground on which it is shown; null for one that the caller may not see. */
export async function findDocumentToRead(
  tx: Tx,
  documentId: string,
  wanted: DocumentView,
): Promise<DocumentRead | null> {
  const resourceType = kindOf(wanted)
  const [row] = await tx
    .select({ file: shellFiles, ground: groundOf(shellFiles.patientId, resourceType) })
    .from(shellFiles)
    .where(and(eq(shellFiles.id, documentId), isNull(shellFiles.deletedAt)))
  if (row === undefined || row.ground === null) return null
  const ground = readGround.parse(row.ground)
  return { file: row.file, ground, view: ground.resource_type === resourceType ? wanted : 'document' }
}

/** The person, and the ground on which a list of their documents is shown: null for who sees the name alone. */
export async function findProfileToRead(
  tx: Tx,
  profileId: string,
): Promise<{ readonly profile: UserProfile; readonly ground: ReadGround | null } | null> {
  const [row] = await tx
    .select({ profile: userProfiles, ground: groundOf(userProfiles.id, 'document') })
    .from(userProfiles)
    .where(eq(userProfiles.id, profileId))
  return row === undefined ? null : { profile: row.profile, ground: readGround.nullable().parse(row.ground) }
}

/**
 * The person, and the ground on which their storylines are told: null for who does not see both storylines and the
 * clinical data that they are told from.
 */
export async function findProfileToNarrate(
  tx: Tx,
  profileId: string,
): Promise<{ readonly profile: UserProfile; readonly ground: ReadGround | null } | null> {
  const ground = sql<unknown>`case when public.read_basis(${userProfiles.id}, 'clinical') is not null
    then public.read_basis(${userProfiles.id}, 'narrative')
      || jsonb_build_object('trace_id', public.uuid_v7(), 'read_at', clock_timestamp()) end`
  const [row] = await tx
    .select({ profile: userProfiles, ground })
    .from(userProfiles)
    .where(eq(userProfiles.id, profileId))
  return row === undefined ? null : { profile: row.profile, ground: readGround.nullable().parse(row.ground) }
}

const countRow = z.object({ count: z.coerce.number() })

/** Service only. Returns how many of them the log refused; those are kept and tried again. */
export async function recordReads(tx: Tx, reads: readonly ReadTrace[]): Promise<number> {
  const [row] = await tx.execute(sql`select public.record_reads(${JSON.stringify(reads)}::text::jsonb) as count`)
  return countRow.parse(row).count
}

/** Service only. Returns how many were tried. */
export async function retryFailedAuditEvents(tx: Tx, limit: number): Promise<number> {
  const [row] = await tx.execute(sql`select public.retry_failed_audit_events(${limit}) as count`)
  return countRow.parse(row).count
}
