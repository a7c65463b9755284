import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../actor.ts'
import { factStatuses, factTypes } from '../schema/facts.ts'

const reading = z.object({
  id: z.uuid(),
  type: z.enum(factTypes),
  text: z.string(),
  status: z.enum(factStatuses),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  date: z.string().nullable(),
  in_record: z.boolean(),
})
const difference = z.object({ field: z.string(), before: z.string().nullable(), after: z.string().nullable() })
const changesOfRuns = z.object({
  compared_with: z.string().transform((at) => new Date(at)),
  settled: z.boolean(),
  unchanged: z.int(),
  new: z.array(reading),
  changed: z.array(reading.extend({ changes: z.array(difference) })),
  gone: z.array(reading),
})
export type FactChangesOfRuns = z.output<typeof changesOfRuns>

/**
 * What the last run over a file reads otherwise than what stood before it; null when it was never processed again. A fact is
 * the same as one before by its row, which it keeps in the same text; else by what it says; else by its name, or its place,
 * on the page. Each is the same as one at most.
 */
export async function changesOfRun(tx: Tx, shellFileId: string): Promise<FactChangesOfRuns | null> {
  const [row] = await tx.execute<{ told: unknown }>(sql`
    with snapshot as (
      select kept.taken_at, kept.facts from public.fact_snapshots as kept where kept.shell_file_id = ${shellFileId}
    ),
    old as materialized (
      select fact.*, row_number() over same_words as nth_words, row_number() over same_name as nth_name
      from snapshot, jsonb_to_recordset(snapshot.facts) as fact (${readingColumns})
      window ${windows}
    ),
    now as materialized (
      select fact.*, row_number() over same_words as nth_words, row_number() over same_name as nth_name
      from public.fact_readings as fact
      where fact.shell_file_id = ${shellFileId}
      window ${windows}
    ),
    by_row as (
      select old.id as old_id, now.id as now_id from old join now using (id)
    ),
    by_words as (
      select old.id as old_id, now.id as now_id
      from old
      join now on (old.type, old.text, old.status, old.page) = (now.type, now.text, now.status, now.page)
        and (old.value, old.unit, old.date) is not distinct from (now.value, now.unit, now.date)
        and old.nth_words = now.nth_words
      where old.id not in (select by_row.old_id from by_row) and now.id not in (select by_row.now_id from by_row)
    ),
    sure as (select * from by_row union all select * from by_words),
    by_place as (
      select distinct on (now.id) old.id as old_id, now.id as now_id
      from old
      join now on (old.type, old.page) = (now.type, now.page)
        and least(old.x1, now.x1) > greatest(old.x0, now.x0)
        and least(old.y1, now.y1) > greatest(old.y0, now.y0)
      where old.id not in (select sure.old_id from sure) and now.id not in (select sure.now_id from sure)
      order by now.id, lower(old.text) <> lower(now.text), abs(old.y0 - now.y0), abs(old.x0 - now.x0),
        abs(old.nth_name - now.nth_name), old.id
    ),
    placed as (
      select * from sure
      union all
      (select distinct on (by_place.old_id) by_place.* from by_place order by by_place.old_id, by_place.now_id)
    ),
    by_name as (
      select distinct on (old.id) old.id as old_id, now.id as now_id
      from old
      join now on (old.type, lower(old.text), old.page, old.nth_name) = (now.type, lower(now.text), now.page, now.nth_name)
      where old.id not in (select placed.old_id from placed) and now.id not in (select placed.now_id from placed)
      order by old.id, now.id
    ),
    paired as (select * from placed union all select * from by_name),
    compared as (
      select now.id, (
        select jsonb_agg(
          jsonb_build_object('field', name.field, 'before', was.said ->> name.field, 'after', is_now.said ->> name.field)
          order by name.field
        )
        from (
          select jsonb_object_keys(was.said) as field union select jsonb_object_keys(is_now.said)
        ) as name
        where was.said ->> name.field is distinct from is_now.said ->> name.field
      ) as changes
      from paired
      join old on old.id = paired.old_id
      join now on now.id = paired.now_id
      cross join lateral (select ${saidBy(sql`old`)} as said) as was
      cross join lateral (select ${saidBy(sql`now`)} as said) as is_now
    )
    select jsonb_build_object(
      'compared_with', snapshot.taken_at,
      'settled', not exists (
        select from public.shell_file_stages as step
        where step.shell_file_id = ${shellFileId}
          and step.stage in ('pass1_find', 'pass2_code')
          and step.status in ('pending', 'running')
      ),
      'unchanged', (select count(*) from compared where compared.changes is null),
      'new', (
        select coalesce(jsonb_agg(to_jsonb(now) order by now.page, now.y0, now.x0), '[]')
        from now where now.id not in (select paired.now_id from paired)
      ),
      'changed', (
        select coalesce(
          jsonb_agg(to_jsonb(now) || jsonb_build_object('changes', compared.changes) order by now.page, now.y0, now.x0), '[]'
        )
        from compared join now using (id) where compared.changes is not null
      ),
      'gone', (
        select coalesce(jsonb_agg(to_jsonb(old) order by old.page, old.y0, old.x0), '[]')
        from old where old.id not in (select paired.old_id from paired)
      )
    ) as told
    from snapshot`)
  return row === undefined ? null : changesOfRuns.parse(row.told)
}

const readingColumns = sql`
  id uuid, type text, text text, status text, value text, unit text, reference_range text, date text, detail jsonb,
  code text, in_record boolean, page int, x0 real, y0 real, x1 real, y1 real`

/** Of several that cannot be told apart, the first is the first of before. */
const windows = sql`
  same_words as (
    partition by fact.type, fact.text, fact.status, fact.value, fact.unit, fact.date, fact.page
    order by fact.y0, fact.x0, fact.id
  ),
  same_name as (partition by fact.type, lower(fact.text), fact.page order by fact.y0, fact.x0, fact.id)`

/** In what two readings may differ, each under its name; what is particular to a type by the name that it has there. */
const saidBy = (fact: ReturnType<typeof sql>) => sql`
  jsonb_build_object(
    'text', ${fact}.text, 'status', ${fact}.status, 'value', ${fact}.value, 'unit', ${fact}.unit,
    'reference_range', ${fact}.reference_range, 'date', ${fact}.date, 'code', ${fact}.code, 'in_record', ${fact}.in_record
  ) || coalesce((
    select jsonb_object_agg('detail.' || particular.key, particular.value)
    from jsonb_each(${fact}.detail) as particular
  ), '{}')`
