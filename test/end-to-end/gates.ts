/**
 * Gates in the way of the pipeline: triggers of the test database that wait for a lock which the test holds. A process
 * that stands before one has done exactly what comes before it, however quick or slow the machine is.
 */
import type postgres from 'postgres'
import { stages as pipelineStages } from '../../db/schema/documents.ts'
import type { Stage } from '../../db/schema/documents.ts'
import type { Teardown } from '../support/postgres.ts'
import { eventually } from '../support/signals.ts'

export type Gates<Name extends string> = {
  /** Resolves when somebody stands before it. */
  readonly reached: (name: Name) => Promise<void>
  /** For good: all who stand there go on. */
  readonly open: (name: Name) => Promise<void>
  /** Who stands there loses the connection to the database, and with it what was not committed. */
  readonly breakOff: (name: Name) => Promise<void>
}

/** `end`: results are written and not committed. `commit`: the server has been told to commit and has not yet. */
export type StageMoment = 'end' | 'commit'

/** A closed gate in each of these stages, one for all documents. */
export async function closeStages(
  t: Teardown,
  sql: postgres.Sql,
  moment: StageMoment,
  stages: readonly Stage[] = pipelineStages,
): Promise<Gates<Stage>> {
  const first = moment === 'end' ? 0 : 10
  const numbers = new Map(stages.map((stage) => [stage, first + 1 + pipelineStages.indexOf(stage)]))
  await sql.unsafe(`
    create function public.wait_at_${moment}() returns trigger language plpgsql as $$
    begin
      if new.status in ('completed', 'held') then
        perform pg_catalog.pg_advisory_xact_lock_shared(${lockClass}, ${first} + new.position::int);
      end if;
      return null;
    end $$`)
  const kind = moment === 'end' ? 'trigger' : 'constraint trigger'
  const deferred = moment === 'end' ? '' : 'deferrable initially deferred'
  await sql.unsafe(`
    create ${kind} zz_gate_${moment} after update on public.shell_file_stages
    ${deferred} for each row execute function public.wait_at_${moment}()`)
  return await closeAll(t, sql, numbers)
}

/** A closed gate in the commit of every upload. */
export async function closeUploads(t: Teardown, sql: postgres.Sql): Promise<Gates<'upload'>> {
  await sql.unsafe(`
    create function public.wait_at_upload() returns trigger language plpgsql as $$
    begin
      perform pg_catalog.pg_advisory_xact_lock_shared(${lockClass}, 100);
      return null;
    end $$`)
  await sql.unsafe(`
    create constraint trigger zz_gate after insert on public.shell_files
    deferrable initially deferred for each row execute function public.wait_at_upload()`)
  return await closeAll(t, sql, new Map([['upload', 100]]))
}

/** A closed gate before a piece of a resumable upload, which lies in the store, is counted. */
export async function closePieces(t: Teardown, sql: postgres.Sql): Promise<Gates<'piece'>> {
  await sql.unsafe(`
    create function public.wait_at_piece() returns trigger language plpgsql as $$
    begin
      perform pg_catalog.pg_advisory_xact_lock_shared(${lockClass}, 300);
      return new;
    end $$`)
  await sql.unsafe(`
    create trigger aa_gate before update of received_bytes on public.resumable_uploads
    for each row execute function public.wait_at_piece()`)
  return await closeAll(t, sql, new Map([['piece', 300]]))
}

/** A closed gate before the page of this number is saved. */
export async function closePage(t: Teardown, sql: postgres.Sql, page: number): Promise<Gates<'page'>> {
  await sql.unsafe(`
    create function public.wait_at_page() returns trigger language plpgsql as $$
    begin
      if new.page_number = ${page} then
        perform pg_catalog.pg_advisory_xact_lock_shared(${lockClass}, 200);
      end if;
      return new;
    end $$`)
  await sql.unsafe(`
    create trigger aa_gate before insert on public.shell_file_pages
    for each row execute function public.wait_at_page()`)
  return await closeAll(t, sql, new Map([['page', 200]]))
}

const lockClass = 7_731

async function closeAll<Name extends string>(
  t: Teardown,
  sql: postgres.Sql,
  numbers: ReadonlyMap<Name, number>,
): Promise<Gates<Name>> {
  // Session locks belong to one connection.
  const keeper = await sql.reserve()
  t.teardown(() => keeper.release())
  const numberOf = (name: Name) => numbers.get(name) ?? -1
  for (const number of numbers.values()) await keeper`select pg_advisory_lock(${lockClass}, ${number})`
  const waiting = (name: Name) => keeper<{ pid: number }[]>`
    select pid
    from pg_locks
    where locktype = 'advisory'
      and database = (select oid from pg_database where datname = current_database())
      and classid = ${lockClass}
      and objid = ${numberOf(name)}
      and not granted`
  return {
    reached: async (name) => {
      await eventually(
        async () => {
          if ((await waiting(name)).length === 0) throw new Error(`nobody stands before ${name}`)
        },
        { timeoutMs: 30_000 },
      )
    },
    open: async (name) => {
      await keeper`select pg_advisory_unlock(${lockClass}, ${numberOf(name)})`
    },
    breakOff: async (name) => {
      for (const { pid } of await waiting(name)) await keeper`select pg_terminate_backend(${pid}, 10000)`
    },
  }
}
