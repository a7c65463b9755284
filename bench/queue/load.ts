import type postgres from 'postgres'

export type Load = { readonly finished: number; readonly scheduled: number; readonly pending: number }

const patients = 50_000

/**
 * A queue as years of work would leave it: spread over patients, in the order of arrival. Triggers do not fire (what they
 * do is not what is measured), and indexes are built afterwards.
 */
export async function loadQueue(superuser: postgres.Sql, load: Load): Promise<void> {
  await superuser`set session_replication_role = replica`
  await superuser`set maintenance_work_mem = '512MB'`
  const indexes = await superuser<{ name: string; definition: string }[]>`
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition
    from pg_index
    where indrelid = 'public.job_queue'::regclass and not indisprimary`
  for (const { name } of indexes) await superuser.unsafe(`drop index ${name}`)
  await insertJobs(superuser, { ...finished, count: load.finished })
  await insertJobs(superuser, { ...pending, count: load.pending })
  await insertJobs(superuser, { ...scheduled, count: load.scheduled })
  for (const { definition } of indexes) await superuser.unsafe(definition)
  await superuser`vacuum (analyze) public.job_queue`
}

type Kind = {
  /** Where its ids begin: like those of the product, later ones sort after earlier ones. */
  readonly firstId: number
  readonly status: string
  /** Of the job number `i` of `count`. */
  readonly dueAt: (count: number) => string
  readonly finishedAt: string
  readonly fairTurn: string
}

const placeInLine = `i / ${patients}`
const finished: Kind = {
  firstId: 0,
  status: 'completed',
  dueAt: (count) => `now() - make_interval(secs => ${count} - i)`,
  finishedAt: 'due.at',
  fairTurn: placeInLine,
}
const pending: Kind = {
  firstId: 1e9,
  status: 'pending',
  dueAt: (count) => `now() - make_interval(secs => (${count} - i) * 0.01)`,
  finishedAt: 'null',
  fairTurn: placeInLine,
}
const scheduled: Kind = {
  firstId: 2e9,
  status: 'pending',
  dueAt: () => `now() + interval '1 day'`,
  finishedAt: 'null',
  // It gets its place when it is due.
  fairTurn: 'null',
}

async function insertJobs(sql: postgres.Sql, jobs: Kind & { readonly count: number }): Promise<void> {
  await sql.unsafe(`
    insert into public.job_queue (
      id, job_type, job_lane, job_name, job_payload, status, scheduled_at, started_at, completed_at, created_at,
      patient_id, shell_file_id, correlation_id, fair_turn
    )
    select
      uuidv7(), 'ocr', 'fast_queue', 'ocr', jsonb_build_object('shell_file_id', file.id), '${jobs.status}', due.at,
      ${jobs.finishedAt}, ${jobs.finishedAt}, least(due.at, now()),
      ${scattered(`(i % ${patients})`)}, file.id, 'bench', ${jobs.fairTurn}
    from generate_series(1, ${jobs.count}) as i
    cross join lateral (select ${inOrder(`(${jobs.firstId} + i)`)} as id) as file
    cross join lateral (select ${jobs.dueAt(jobs.count)} as at) as due`)
}

const inOrder = (number: string) => `(lpad(to_hex(${number}::bigint), 16, '0') || lpad('', 16, '8'))::uuid`
const scattered = (number: string) =>
  `(lpad(to_hex(hashint8(${number})), 16, '0') || lpad(to_hex(${number}), 16, '0'))::uuid`
