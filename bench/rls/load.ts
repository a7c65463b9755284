/**
 * The record of a small city, made in the database by set-based statements: 100,000 people, 300,000 files with their stages,
 * about 2,000,000 clinical events with their spokes. Files of different people arrive in turns, so that the rows of one person
 * lie in as many places as in life, and some people have far more of them than others.
 */
import type postgres from 'postgres'

export const size = {
  people: 100_000,
  guardians: 2_000,
  childrenEach: 4,
  delegates: 1_000,
  delegationsEach: 30,
  files: 300_000,
  /** Every fiftieth person is ill for long, and two fifths of all files are theirs. */
  longRecords: 2_000,
  longShare: 0.4,
}

/** Runs as a superuser: triggers and foreign keys are off, what they would refuse is not made. */
export async function loadRecords(superuser: postgres.Sql, say: (line: string) => void): Promise<void> {
  await superuser.begin(async (tx) => {
    await tx.unsafe('set local session_replication_role = replica')
    await tx.unsafe("set local work_mem = '128MB'")
    await tx.unsafe('select setseed(0.42)')
    for (const { name, statement } of steps) {
      const startedAt = performance.now()
      const { count } = await tx.unsafe(statement)
      say(`${name}: ${count} rows in ${Math.round((performance.now() - startedAt) / 100) / 10} s`)
    }
  })
  const startedAt = performance.now()
  await superuser.unsafe('vacuum (analyze)')
  await superuser.unsafe('checkpoint')
  say(`vacuum, analyze, checkpoint: ${Math.round((performance.now() - startedAt) / 100) / 10} s`)
}

const accounts = size.people - size.guardians * size.childrenEach

// `number` orders people by nothing; the first accounts are guardians, the next are delegates.
const people = `
  create temporary table people on commit drop as
  select number, gen_random_uuid() as profile_id, case when number <= ${accounts} then gen_random_uuid() end as account_id
  from generate_series(1, ${size.people}) as number`

const profiles = `
  insert into public.user_profiles (id, account_owner_id, profile_type, relationship, display_name, full_name, date_of_birth)
  select
    person.profile_id,
    coalesce(person.account_id, guardian.account_id),
    case when person.account_id is null then 'child' else 'self' end,
    case when person.account_id is null then 'child' else 'self' end,
    'Person ' || person.number,
    'Person Number ' || person.number,
    date '1940-01-01' + person.number % 29000
  from people as person
  left join people as guardian on guardian.number = 1 + (person.number - ${accounts} - 1) % ${size.guardians}
    and person.account_id is null
  order by random()`

// A tenth of what was ever given has ended.
const delegations = `
  insert into public.profile_access_permissions
    (profile_id, account_id, permission_level, granted_by, starts_at, accepted_at, revoked_at)
  select distinct on (grantee.account_id, giver.profile_id)
    giver.profile_id, grantee.account_id, (array['read_only', 'read_write', 'full_access'])[1 + place % 3], giver.account_id,
    now() - interval '30 days', now() - interval '29 days', case when place > ${size.delegationsEach} then now() end
  from people as grantee
  cross join generate_series(1, ${Math.round(size.delegationsEach * 1.1)}) as place
  join people as giver on giver.number = 1 + (grantee.number * 7919 + place * 104729) % ${accounts}
  where grantee.number between ${size.guardians + 1} and ${size.guardians + size.delegates}`

const files = `
  create temporary table files on commit drop as
  select public.uuid_v7() as file_id, person.profile_id, person.account_id, arrival.number,
    arrival.day + date '2016-01-01' as day,
    case when arrival.length < 0.6 then 3 when arrival.length < 0.9 then 8 else 25 end as events
  from (
    select
      number,
      random() as length,
      (number / ${size.files / 3600})::int as day,
      case
        when random() < ${size.longShare} then 1 + floor(${size.longRecords} * random())::int
        else ${size.longRecords + 1} + floor(${size.people - size.longRecords} * power(random(), 1.3))::int
      end as place
    from generate_series(1, ${size.files}) as number
  ) as arrival
  join (select row_number() over (order by random()) as place, * from people) as person using (place)
  order by arrival.number`

const shellFiles = `
  insert into public.shell_files
    (id, patient_id, uploaded_by, filename, mime_type, size_bytes, sha256, storage_key, status, page_count, quality_grade,
      document_class, document_date, locale, created_at, updated_at, correlation_id)
  select file_id, profile_id, account_id, 'letter ' || number || '.pdf', 'application/pdf', 40000 + number % 900000,
    md5(number::text) || md5('x' || number), 'files/' || file_id, 'completed', 1 + number % 4, 'good', 'discharge_summary',
    day, 'en-AU', day + interval '9 hours', day + interval '9 hours', 'c-' || number
  from files
  order by number`

const stages = `
  insert into public.shell_file_stages (shell_file_id, stage, position, status, version, started_at, finished_at)
  select file_id, step.stage, step.position, 'completed', '1', day + interval '9 hours', day + interval '10 hours'
  from files
  cross join unnest(public.pipeline_stages()) with ordinality as step (stage, position)
  order by files.number, step.position`

const events = `
  create temporary table events on commit drop as
  select public.uuid_v7() as event_id, file_id, profile_id, random() as pick, day - (random() * 40)::int as day
  from files
  cross join generate_series(1, files.events) as place
  order by files.number, place`

const kind = `case
    when pick < 0.40 then 'lab_result' when pick < 0.52 then 'vital_sign' when pick < 0.67 then 'medication'
    when pick < 0.79 then 'condition' when pick < 0.82 then 'physical_finding' when pick < 0.85 then 'imaging_result'
    when pick < 0.91 then 'procedure' when pick < 0.95 then 'immunization' when pick < 0.97 then 'allergy'
    when pick < 0.99 then 'social_history' else 'family_history' end`

const hub = `
  insert into public.patient_clinical_events
    (id, patient_id, shell_file_id, event_type, assertion, event_date, event_day, date_meaning, confidence, merge_key)
  select event_id, profile_id, file_id, ${kind}, case when pick < 0.99 then 'present' else 'family' end,
    case when pick::numeric % 0.01 > 0.0005 then day::text end, case when pick::numeric % 0.01 > 0.0005 then day end,
    'performed', 'high', event_id::text
  from events`

const spokeColumns =
  "event_id, profile_id, 'present', 'Name as printed ' || (pick * 3000)::int, 'http://loinc.org', (pick * 90000)::int || '-1'"
const hubColumns = 'event_id, patient_id, assertion, name, code_system, code'

const spokes = [
  {
    table: 'patient_observations',
    statement: `
      insert into public.patient_observations
        (${hubColumns}, observation_type, value_text, value_numeric, unit, unit_ucum, reference_range, flag)
      select ${spokeColumns}, ${kind}, '132', 132, 'g/L', 'g/L', '120 - 160', case when pick < 0.1 then 'H' end
      from events where pick < 0.52 or pick >= 0.79 and pick < 0.85`,
  },
  {
    table: 'patient_medications',
    statement: `
      insert into public.patient_medications
        (${hubColumns}, strength, strength_unit, form, dose, route, frequency, frequency_code, indication, clinical_status)
      select ${spokeColumns}, '500', 'mg', 'tablet', 'one', 'oral', 'twice a day', '2/d', 'as printed', 'active'
      from events where pick >= 0.52 and pick < 0.67`,
  },
  {
    table: 'patient_conditions',
    statement: `
      insert into public.patient_conditions (${hubColumns}, condition_type, clinical_status)
      select ${spokeColumns}, 'condition', 'active' from events where pick >= 0.67 and pick < 0.79`,
  },
  plainSpoke('patient_interventions', 0.85, 0.91),
  plainSpoke('patient_immunizations', 0.91, 0.95),
  plainSpoke('patient_allergies', 0.95, 0.97),
  plainSpoke('social_history', 0.97, 0.99),
  {
    table: 'family_history',
    statement: `
      insert into public.family_history (${hubColumns}, relationship)
      select ${spokeColumns.replace("'present'", "'family'")}, 'mother' from events where pick >= 0.99`,
  },
]

const steps = [
  { name: 'people', statement: people },
  {
    name: 'accounts',
    statement: `insert into auth.users (id, email) select account_id, number || '@example.test' from people where account_id is not null`,
  },
  { name: 'profiles', statement: profiles },
  { name: 'delegations', statement: delegations },
  { name: 'files', statement: files },
  { name: 'shell_files', statement: shellFiles },
  { name: 'shell_file_stages', statement: stages },
  { name: 'events', statement: events },
  { name: 'patient_clinical_events', statement: hub },
  ...spokes.map(({ table, statement }) => ({ name: table, statement })),
]

function plainSpoke(table: string, from: number, to: number) {
  return {
    table,
    statement: `
      insert into public.${table} (${hubColumns})
      select ${spokeColumns} from events where pick >= ${from} and pick < ${to}`,
  }
}
