import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Tx } from '../../../db/actor.ts'

export type Probe = { readonly name: string; readonly statement: string }
const answers = z.record(
  z.string(),
  z.object({ state: z.string(), message: z.string().optional(), rows: z.array(z.string().nullable()).nullish() }),
)
export type Answers = z.infer<typeof answers>

/**
 * Runs statements one by one as whoever the transaction acts as; each ends by itself, and what it changed is taken back. For each: the
 * SQLSTATE (`00000` = let through) with its message, or what it gave: the one text column of a query, of any other statement how many
 * rows it touched. What is deferred to the commit is checked. One trip for all of them.
 */
export async function probe(tx: Tx, probes: readonly Probe[]): Promise<Answers> {
  await tx.execute(sql`select set_config('exora_test.probes', ${JSON.stringify(probes)}, true)`)
  await tx.execute(sql.raw(runner))
  const [row] = await tx.execute<{ answers: string }>(sql`select current_setting('exora_test.answers') as answers`)
  return answers.parse(JSON.parse(row?.answers ?? '{}'))
}

const runner = `
do $probe$
declare
  v_probe record;
  v_rows text[];
  v_touched bigint;
  v_answers jsonb := '{}';
begin
  for v_probe in select * from jsonb_to_recordset(current_setting('exora_test.probes')::jsonb) as given (name text, statement text) loop
    v_rows := null;
    begin
      if v_probe.statement like 'select %' then
        execute format('select array_agg(given.value) from (%s) as given (value)', v_probe.statement) into v_rows;
        v_rows := coalesce(v_rows, '{}');
      else
        execute v_probe.statement;
        get diagnostics v_touched = row_count;
        v_rows := array[v_touched::text];
        set constraints all immediate;
      end if;
      raise exception using errcode = 'EX000', message = 'taken back';
    exception
      when sqlstate 'EX000' then
        v_answers := v_answers || jsonb_build_object(v_probe.name, jsonb_build_object('state', '00000', 'rows', v_rows));
      when others then
        v_answers := v_answers || jsonb_build_object(v_probe.name, jsonb_build_object('state', sqlstate, 'message', sqlerrm));
    end;
  end loop;
  perform set_config('exora_test.answers', v_answers::text, true);
end
$probe$`
