import type postgres from 'postgres'
import type { Fact, Person } from '../support/person.ts'

/**
 * All that a document has left behind, without ids and times: rows by table, audit by what was done, facts by content.
 * Two runs over the same bytes that left the same did the same, each thing once. What tells of the way there (events,
 * errors of attempts, who looked) is no result and left out.
 */
export type Traces = {
  readonly facts: readonly unknown[]
  readonly rows: Readonly<Record<string, number>>
  readonly audit: Readonly<Record<string, number>>
  readonly usage: readonly unknown[]
  readonly jobs: Readonly<Record<string, number>>
}

/** Of a person who has this one document. */
export async function tracesOf(sql: postgres.Sql, person: Person, documentId: string): Promise<Traces> {
  const { profileId } = person
  const facts = await person.facts(documentId)
  return {
    facts: facts.map(withoutIds),
    rows: await rowsByTable(sql, profileId, documentId),
    audit: await countsOf(
      sql`
        select concat_ws(' ', table_name, operation, new_values ->> 'stage', new_values ->> 'status') as what, count(*)::int as n
        from audit_log where patient_id = ${profileId} and operation <> 'SELECT' group by 1 order by 1`,
    ),
    usage: await sql`
      select event_type, shell_files, pages, ai_tokens, storage_bytes
      from usage_events where profile_id = ${profileId} order by event_type`,
    jobs: await countsOf(
      sql`
        select job_type || ' ' || status as what, count(*)::int as n
        from job_queue where shell_file_id = ${documentId} group by 1 order by 1`,
    ),
  }
}

function withoutIds(fact: Fact) {
  return { ...fact, id: null, version: null, sources: fact.sources.map((source) => ({ ...source, fact_id: null })) }
}

const waysThere = ['shell_file_events', 'processing_errors', 'audit_log', 'job_queue']

/** Every table that names a patient or a file, so that none can be forgotten. */
async function rowsByTable(sql: postgres.Sql, profileId: string, documentId: string): Promise<Record<string, number>> {
  const tables = await sql<{ name: string; by: string }[]>`
    select c.relname as name, min(a.attname) as by
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attname in ('patient_id', 'shell_file_id') and not a.attisdropped
    where c.relkind = 'r' and not c.relispartition and c.relname <> all (${waysThere})
    group by c.relname
    order by c.relname`
  const counts: Record<string, number> = {}
  for (const { name, by } of tables) {
    const id = by === 'patient_id' ? profileId : documentId
    const [row] = await sql<
      { n: number }[]
    >`select count(*)::int as n from public.${sql(name)} where ${sql(by)} = ${id}`
    counts[name] = row?.n ?? -1
  }
  return counts
}

async function countsOf(query: postgres.PendingQuery<postgres.Row[]>): Promise<Record<string, number>> {
  return Object.fromEntries((await query).map((row) => [String(row['what']), Number(row['n'])]))
}
