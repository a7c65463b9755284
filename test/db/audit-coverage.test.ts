import { test } from 'tap'
import { ownerSql } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'

type Verb = 'INSERT' | 'UPDATE' | 'DELETE'
type Coverage = { readonly [verb in Verb]?: string }

const machine = 'state of our own machines; nothing of anybody'
const always = (why: string): Coverage => ({ INSERT: why, UPDATE: why, DELETE: why })

/**
 * Which row tells of a change that has no row of its own: `table verb: why`. Everything else is audited by its trigger, or
 * refused. What is made in bulk is told once, by what it hangs off; what is derived, by what it derives from.
 */
const covered: Readonly<Record<string, Coverage>> = {
  // evidence itself
  audit_log: { INSERT: 'it is the row' },
  audit_seals: { INSERT: 'it tells of rows of the log' },
  failed_audit_events: always('it keeps rows that the log refused; leaves by its retention rule once they are in it'),
  usage_events: { INSERT: 'it is the ledger: one row for each use, never changed' },

  // documents
  shell_file_stages: {
    INSERT: 'shell_files INSERT: in the same statement',
    DELETE: 'shell_files DELETE: with the file',
  },
  shell_file_pages: always(
    'shell_file_stages UPDATE: written by the stage that reads, in the transaction that ends it',
  ),
  shell_file_texts: always('shell_file_stages UPDATE: written by the stage that maps'),
  shell_file_events: always('shell_file_stages UPDATE: each event tells of one; leaves by its retention rule'),
  processing_errors: always('shell_file_stages UPDATE: the row explains itself; leaves by its retention rule'),
  page_pictures: always('shell_files INSERT: drawn from the file, and anew when they are gone; who saw one is traced'),
  erased_objects: always('shell_files DELETE: bytes that are still to be removed from the store'),

  // facts and record
  entity_processing_audit_v2: {
    INSERT: 'shell_file_stages UPDATE: written by the pass that finds, which the row names',
    DELETE: 'shell_file_stages UPDATE: found anew by the same pass, or shell_files DELETE',
  },
  fact_sources: always('shell_file_stages UPDATE: with their fact'),
  fact_snapshots: always('shell_file_stages UPDATE: what stood before the run that begins; replaced by the next'),
  medical_code_assignments: always('shell_file_stages UPDATE: candidates, replaced as a whole by the pass that codes'),
  model_answers: always(
    'shell_file_stages UPDATE: kept for the run that asked, which says what it used; no reading of it',
  ),
  semantic_processing_sessions: always('shell_file_stages UPDATE: one run of a pass, which explains itself'),
  patient_observations: { INSERT: 'patient_clinical_events INSERT: with their event' },
  patient_observation_components: {
    INSERT: 'patient_clinical_events INSERT: with their event',
    DELETE: 'patient_observations DELETE: with their observation',
  },
  patient_medications: { INSERT: 'patient_clinical_events INSERT: with their event' },
  patient_conditions: { INSERT: 'patient_clinical_events INSERT: with their event' },
  patient_allergies: { INSERT: 'patient_clinical_events INSERT: with their event' },
  patient_immunizations: { INSERT: 'patient_clinical_events INSERT: with their event' },
  patient_interventions: { INSERT: 'patient_clinical_events INSERT: with their event' },
  family_history: { INSERT: 'patient_clinical_events INSERT: with their event' },
  social_history: { INSERT: 'patient_clinical_events INSERT: with their event' },
  clinical_narrative_sentences: always(
    'clinical_narratives INSERT: told with their storyline, gone with it or its events',
  ),

  // reference data, by the owner of the database alone
  terminology_concepts: always('terminology_systems INSERT: with their system'),
  terminology_synonyms: always('terminology_systems INSERT: with their system'),

  // usage, notices
  user_usage_tracking: always('usage_events INSERT: counters, derived from the ledger by its trigger'),
  system_notifications: always(
    'tells an account of a row that is audited itself; that it was seen is the account’s own',
  ),
  user_profile_context: always('what an app shows first, the account’s own; each reading leaves a trace of its own'),
  resumable_uploads: always('shell_files INSERT: bytes on their way; nothing is anybody’s record until that'),
  idempotency_keys: always('shell_files INSERT: remembers an answer for a day'),

  // the queue and the limits: what a job did is told by its stage, what an operator did to it by `audit_job`
  job_queue: always('shell_file_stages UPDATE: dead letters and operators’ acts have rows of `audit_job`'),
  job_types: always('comes with the SQL files, as functions do'),
  job_schedules: always(machine),
  workers: always(machine),
  slo_states: always(machine),
  slo_alerts: always(machine),
  slo_alert_deliveries: always(machine),
  api_usage_slots: always(machine),
  api_daily_use: always(machine),
  api_capacity_reservations: always(machine),
  request_allowances: always(machine),
}

type Table = {
  readonly name: string
  readonly audited: readonly Verb[]
  readonly refused: readonly Verb[]
  readonly triggers: number
}

test('each way to change a table leaves its row, is refused, or is told by another row that is named', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const tables = await ownerSql(t, ownerUrl)<Table[]>`
    with verbs (verb, bit) as (values ('INSERT', 4), ('UPDATE', 16), ('DELETE', 8)),
    active as (
      select trig.tgrelid, trig.tgtype, trig.tgname, func.proname, trig.tgqual
      from pg_trigger as trig
      join pg_proc as func on func.oid = trig.tgfoid
      where not trig.tgisinternal and trig.tgenabled = 'O'
    )
    select
      class.relname as name,
      array(
        select verb from verbs where exists (
          select from active
          where tgrelid = class.oid and tgtype & bit > 0 and proname in ('audit_row_change', 'audit_new_rows')
        )
      ) as audited,
      array(
        select verb from verbs where exists (
          select from active
          where tgrelid = class.oid and tgtype & bit > 0 and proname in ('refuse_change', 'guard_audit_row') and tgqual is null
        )
      ) as refused,
      (
        select coalesce(max(told.ways), 0)::int from (
          select count(*) as ways
          from verbs
          join active on tgrelid = class.oid and tgtype & bit > 0 and proname in ('audit_row_change', 'audit_new_rows')
          group by verb
        ) as told
      ) as triggers
    from pg_class as class
    where class.relnamespace = 'public'::regnamespace and class.relkind in ('r', 'p') and not class.relispartition
    order by class.relname`
  const ofTable = new Map(tables.map((table) => [table.name, table]))
  const undecided: string[] = []
  for (const { name, audited, refused, triggers } of tables) {
    t.ok(triggers < 2, `${name}: no change is told twice`)
    for (const verb of ['INSERT', 'UPDATE', 'DELETE'] as const) {
      const ways = [audited.includes(verb), refused.includes(verb), covered[name]?.[verb] !== undefined]
      if (!ways.includes(true)) undecided.push(`${name} ${verb}`)
      t.ok(ways.filter(Boolean).length < 2, `${name} ${verb}: told in one way`)
    }
  }
  t.same(undecided, [], 'a new table is audited (db/sql/70-audit.sql), or the row that tells of it is named here')
  t.same(
    Object.keys(covered).filter((name) => !ofTable.has(name)),
    [],
    'tables that are gone',
  )

  for (const [name, ways] of Object.entries(covered)) {
    for (const [verb, why] of Object.entries(ways)) {
      const [, teller, told] = /^([a-z_0-9]+) (INSERT|UPDATE|DELETE): /.exec(why) ?? []
      if (teller === undefined) continue
      const tells = ofTable.get(teller)
      const isTold = teller === 'usage_events' || tells?.audited.some((audited) => audited === told)
      t.ok(isTold, `${name} ${verb} is told by ${teller} ${told}, which is a row of the log`)
    }
  }
})

test('partitions and triggers that were switched off are no way around it', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const off = await owner`
    select trig.tgrelid::regclass::text as table, trig.tgname as trigger
    from pg_trigger as trig
    join pg_class as class on class.oid = trig.tgrelid
    where class.relnamespace = 'public'::regnamespace and not trig.tgisinternal and trig.tgenabled <> 'O'`
  t.same([...off], [])
  const unguarded = await owner`
    select part.inhrelid::regclass::text as part
    from pg_inherits as part
    where part.inhparent = 'audit_log'::regclass
      and not exists (
        select from pg_trigger as guard
        where guard.tgrelid = part.inhrelid and guard.tgname = 'append_only' and guard.tgenabled = 'O'
      )`
  t.same([...unguarded], [], 'each part of the log is append-only by itself')
})
