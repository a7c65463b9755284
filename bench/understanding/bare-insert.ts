/** The least that keeping the same rows can cost: each table's rows in one statement, without triggers or foreign keys. */
import postgres from 'postgres'

const tables = [
  'entity_processing_audit_v2',
  'fact_sources',
  'medical_code_assignments',
  'patient_clinical_events',
  'patient_observations',
] as const

export async function prepareBareInsert(
  superuser: postgres.Sql,
  shellFileId: string,
): Promise<{ readonly rows: number; readonly insert: () => Promise<unknown> }> {
  const copies: { table: string; rows: number; json: string }[] = []
  for (const table of tables) {
    await superuser.unsafe(
      `drop table if exists bare_${table}; create table bare_${table} (like ${table} including all)`,
    )
    const [copy] = await superuser.unsafe<{ rows: number; json: string }[]>(
      `select count(*)::int as rows, coalesce(jsonb_agg(to_jsonb(kept)), '[]')::text as json from ${table} as kept where ${ofFile(table)}`,
      [shellFileId],
    )
    if (copy === undefined) throw new Error(`${table} gave no rows`)
    copies.push({ table, ...copy })
  }
  return {
    rows: copies.reduce((sum, { rows }) => sum + rows, 0),
    insert: () =>
      superuser.begin(async (tx) => {
        for (const { table, json } of copies) {
          await tx.unsafe(
            `insert into bare_${table} select * from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`,
            [json],
          )
        }
      }),
  }
}

function ofFile(table: (typeof tables)[number]): string {
  if (table === 'medical_code_assignments')
    return 'fact_id in (select id from entity_processing_audit_v2 where shell_file_id = $1)'
  if (table === 'patient_observations')
    return 'event_id in (select id from patient_clinical_events where shell_file_id = $1)'
  return 'shell_file_id = $1'
}
