import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { stageStatuses } from '../schema/documents.ts'
import type { RecordSection } from './record-sections.ts'

/** A row as JSON text, exactly as the database words it, and its place, to go on behind it. */
export type RecordRow = { readonly json: string; readonly place: string }

const usualBatch = 500
const row = z.object({ json: z.string(), place: z.string() })

export const batchOf = (section: RecordSection): number => section.batch ?? usualBatch

/** The next rows of a section behind a place. For services: what they may read of whom is said here. */
export async function readRecordRows(
  tx: Tx,
  section: RecordSection,
  at: { readonly patientId: string; readonly after: string | null },
): Promise<readonly RecordRow[]> {
  const table = sql.identifier(section.table)
  const keys = (of: string) =>
    sql.join(
      section.key.map((column) => sql`${sql.raw(of)}.${sql.identifier(column)}`),
      sql`, `,
    )
  const rows = await tx.execute(sql`
    select
      (to_jsonb(source) - ${words(section.without ?? [])} || ${rolesOf(section, at.patientId)} || ${section.more ?? sql`'{}'`})::text as json,
      jsonb_build_object(${placeOf(section)})::text as place
    from public.${table} as source,
      jsonb_populate_record(null::public.${table}, ${at.after ?? '{}'}::text::jsonb) as last
    where ${ownership(section, at.patientId)}
      and (${at.after === null ? sql`true` : sql`(${keys('source')}) > (${keys('last')})`})
    order by ${keys('source')}
    limit ${batchOf(section)}`)
  return rows.map((found) => row.parse(found))
}

function ownership({ of }: RecordSection, patientId: string): SQL {
  if (of !== 'file') return sql`source.${sql.identifier(of)} = ${patientId}::uuid`
  return sql`source.shell_file_id in (
    select file.id from public.shell_files as file where file.patient_id = ${patientId}::uuid
  )`
}

function rolesOf({ accounts = [] }: RecordSection, patientId: string): SQL {
  const fields = accounts.map(
    (column) =>
      sql`${sql.raw(`'${column}'`)}, public.role_towards(source.${sql.identifier(column)}, ${patientId}::uuid)`,
  )
  return sql`jsonb_build_object(${sql.join(fields, sql`, `)})`
}

const placeOf = ({ key }: RecordSection): SQL =>
  sql.join(
    key.map((column) => sql`${sql.raw(`'${column}'`)}, source.${sql.identifier(column)}`),
    sql`, `,
  )

// Lists go as one JSON parameter: drizzle would spread an array over several.
const words = (values: readonly string[]): SQL =>
  sql`array(select jsonb_array_elements_text(${JSON.stringify(values)}::text::jsonb))`

const original = z
  .object({
    id: z.uuid(),
    filename: z.string(),
    storage_key: z.string(),
    created_at: z.coerce.date(),
    scan_status: z.enum(stageStatuses).nullable(),
    scan_error: z.object({ code: z.string(), message: z.string() }).nullable(),
    is_unscanned: z.boolean(),
  })
  .transform((found) => ({
    id: found.id,
    filename: found.filename,
    storageKey: found.storage_key,
    createdAt: found.created_at,
    scan:
      found.scan_status === null
        ? undefined
        : { status: found.scan_status, error: found.scan_error, isUnscanned: found.is_unscanned },
  }))

export type Original = z.infer<typeof original>

/** Files of a person with what the security scan says of them, also those in the bin. */
export async function listOriginals(
  tx: Tx,
  at: { readonly patientId: string; readonly after: string | null; readonly limit: number },
): Promise<readonly Original[]> {
  const rows = await tx.execute(sql`
    select file.id, file.filename, file.storage_key, file.created_at, scan.status as scan_status, scan.error as scan_error,
      coalesce(scan.outcome #>> '{scan,malware}' = 'unscanned', false) as is_unscanned
    from public.shell_files as file
    left join public.shell_file_stages as scan on scan.shell_file_id = file.id and scan.stage = 'security_scan'
    where file.patient_id = ${at.patientId}::uuid
      and (${at.after}::uuid is null or file.id > ${at.after}::uuid)
    order by file.id
    limit ${at.limit}`)
  return rows.map((found) => original.parse(found))
}

const account = z.object({ account: z.string().nullable() })

/** What is kept of the account itself, as JSON; null in an export of somebody else than its own person. */
export async function accountOfExport(tx: Tx, exportId: string): Promise<string | null> {
  const [found] = await tx.execute(sql`select public.account_of_export(${exportId}::uuid)::text as account`)
  return account.parse(found).account
}
