import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import { migrate } from '../../db/migrate.ts'
import { actorOf, ask, askOne, ownerSql, refusal, serve } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { catalogueSnapshot, differences, seedSnapshot } from '../support/catalogue-snapshot.ts'
import type { Snapshot } from '../support/catalogue-snapshot.ts'
import { upload } from '../support/factories.ts'
import { lostRows, rowsByTable } from '../support/kept-rows.ts'
import { emptyDatabase, testDatabase } from '../support/postgres.ts'
import type { Teardown } from '../support/postgres.ts'
import { migrationTags, recordAsOf, releasedAs } from '../support/released-states.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

/** Releases that an installation skips from straight to this one: from all of them it would take minutes. */
const skippedFrom = migrationTags.filter((_, at) => at % 5 === 0 || at === migrationTags.length - 1)

for (const tag of skippedFrom) {
  test(`an installation of the time of ${tag} comes to the same database as installing afresh`, async (t) => {
    const { ownerUrl } = await emptyDatabase(t)
    await migrate(ownerUrl, releasedAs(t, tag))
    await migrate(ownerUrl)
    t.same(differences(await catalogueSnapshot(ownerUrl), await freshCatalogue(t)), [])
    t.same(differences(await seedSnapshot(ownerUrl), await freshSeeds(t)), [], 'no setting is lost, added or reset')
  })
}

test('a record that was kept through every release is whole, and everything works on it', async (t) => {
  const { ownerUrl, appUrl } = await emptyDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const everKnown = new Set<string>()
  for (const tag of migrationTags) {
    const step = await migrate(ownerUrl, releasedAs(t, tag))
    t.equal(step.migrations, 1, tag)
    for (const name of await functionsOf(owner)) everKnown.add(name)
    const record = recordAsOf(tag)
    if (record !== '') await owner.begin((tx) => tx.unsafe(record).simple())
  }
  const before = await rowsByTable(owner)
  t.ok(before.size > 35, `${before.size} tables hold something`)
  await migrate(ownerUrl)
  t.same(differences(await catalogueSnapshot(ownerUrl), await freshCatalogue(t)), [])
  t.same(lostRows(before, await rowsByTable(owner)), [], 'every row is there, with all its values')

  const db = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 2 })
  t.teardown(() => db.close())
  const read = (account: Account) => ask(db, account.actor, sql`select name from public.patient_record order by name`)
  t.equal((await read(ann)).length, 8, 'the mother reads the record of her child')
  t.equal((await read(ben)).length, 8, 'so does whom she let in')
  t.same(await read(cleo), [], 'and nobody else')
  t.equal(await refusal(upload(db, cleo, { patientId: kitId })), '42501')

  const { shell_file_id: fileId } = await upload(db, ann, { patientId: kitId })
  t.match(await usageOf(db, ann, kitId), { usage: { shell_files: { used: 2 }, pages: { used: 2 } } })
  t.same(await counterDifferences(db), [], 'counters are what the ledger says')
  const claimed = await serve<{ job_type: string; shell_file_id: string }>(
    db,
    sql`select * from public.claim_next_job_v3(worker_id => 'w', max_jobs => 10) order by job_type`,
  )
  t.same(
    claimed.map((job) => job.job_type),
    ['ocr', 'security_scan'],
    'what waited in the queue is worked off beside what is new',
  )
  t.equal(claimed[1]?.shell_file_id, fileId)
  await ask(db, ann.actor, sql`update public.user_profiles set display_name = 'Kit E.' where id = ${kitId}`)
  const logged = sql`select count(*)::int as value from public.audit_log where record_id = ${kitId} and operation = 'UPDATE'`
  t.equal(await askOne(db, ann.actor, logged), 1, 'and the audit goes on where it stood')
  await serve(db, sql`select public.seal_audit_log()`)
  const chains = await serve<{ first_broken: string | null }>(db, sql`select * from public.verify_audit_log()`)
  t.ok(chains.length > 0 && chains.every((chain) => chain.first_broken === null))

  const present = new Set(await functionsOf(owner))
  const gone = [...everKnown].filter((name) => !present.has(name))
  t.ok(gone.length > 0, 'some functions of earlier releases are no more')
  for (const name of gone) await owner.unsafe(`create function ${name} returns void language sql as ''`)
  await owner`delete from exora_internal.sql_files`
  await migrate(ownerUrl)
  const left = new Set(await functionsOf(owner)).intersection(new Set(gone))
  t.same([...left], [], 'they are dropped, whichever releases an installation skipped')
})

test('applying the SQL files a second time changes nothing', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`update public.feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  await owner`update public.system_configuration set config_value = '7' where config_key = 'queue.max_deferrals'`
  const [catalogue, seeds] = [await catalogueSnapshot(ownerUrl), await seedSnapshot(ownerUrl)]
  const [audited] = await owner`select count(*)::int as rows from public.audit_log`

  await owner`delete from exora_internal.sql_files`
  const again = await migrate(ownerUrl)
  t.ok(again.sqlFiles.length > 20)
  t.equal(again.migrations, 0)
  t.same(differences(await catalogueSnapshot(ownerUrl), catalogue), [])
  t.same(differences(await seedSnapshot(ownerUrl), seeds), [], 'nor what an operator had set')
  t.same((await owner`select count(*)::int as rows from public.audit_log`)[0], audited, 'and nothing is audited')
})

test('a difference that matters is seen', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [catalogue, seeds] = [await catalogueSnapshot(ownerUrl), await seedSnapshot(ownerUrl)]
  const changes = {
    'alter table public.shell_files add column colour text': 'column public.shell_files.colour should not be there',
    [`alter table public.shell_files alter column note set default ''`]: 'column public.shell_files.note',
    'alter table public.shell_files alter column filename drop not null': 'column public.shell_files.filename',
    'alter table public.job_queue no force row level security': 'table public.job_queue',
    'alter table public.shell_files disable trigger touch': 'trigger public.shell_files.touch',
    'alter table public.shell_files drop constraint shell_files_size_check':
      'constraint public.shell_files.shell_files_size_check is missing',
    'drop index public.user_profiles_one_self_idx': 'index public.user_profiles_one_self_idx is missing',
    'grant select on public.workers to authenticated': 'table public.workers',
    'grant update (storage_key) on public.shell_files to service_role': 'column public.shell_files.storage_key',
    'grant execute on function public.seal_audit_log(int) to anon': 'function public.seal_audit_log(integer)',
    'grant usage on schema login to anon': 'schema login',
    'alter function public.pipeline_stages() volatile': 'function public.pipeline_stages()',
    'alter function public.last_seal(text) reset search_path': 'function public.last_seal(text)',
    'alter function public.record_reads(jsonb) security invoker': 'function public.record_reads(jsonb)',
    'drop policy client_reads on public.audit_log': 'policy public.audit_log.client_reads is missing',
    'alter policy client_edits on public.user_profiles using (true)': 'policy public.user_profiles.client_edits',
    [`comment on table public.user_profiles is 'x'`]: 'table public.user_profiles',
    'alter default privileges in schema public grant select on tables to anon': 'later objects of kind r in public',
    'alter view public.patient_narrative reset (security_invoker)': 'view public.patient_narrative',
    'alter sequence public.shell_file_events_id_seq cycle': 'sequence public.shell_file_events_id_seq',
    'alter table public.audit_log detach partition public.audit_log_default': 'table public.audit_log_default',
  }
  for (const change of Object.keys(changes)) await owner.unsafe(change)
  const seen = differences(await catalogueSnapshot(ownerUrl), catalogue)
  for (const [change, place] of Object.entries(changes)) {
    t.ok(
      seen.some((line) => new RegExp(`^${RegExp.escape(place)}(?![\\w.])`).test(line)),
      change,
    )
  }
  await owner`update public.job_types set max_retries = 1 where job_type = 'ocr'`
  t.equal(differences(await seedSnapshot(ownerUrl), seeds).length, 2, 'the old row is gone, the new one is there')
})

const functionsOf = async (owner: ReturnType<typeof ownerSql>): Promise<string[]> => {
  const rows = await owner<{ name: string }[]>`
    select oid::regprocedure::text as name from pg_proc
    where pronamespace in ('public'::regnamespace, 'exora_internal'::regnamespace, to_regnamespace('login'))
      and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')`
  return rows.map(({ name }) => name)
}

const person = (last: string): Account => {
  const accountId = `00000000-0000-7000-8000-00000000000${last}`
  return { accountId, profileId: '', actor: actorOf(accountId) }
}
const [ann, ben, cleo] = [person('a'), person('b'), person('c')]
const kitId = '00000000-0000-7000-8000-0000000000a1'

let fresh: Promise<{ catalogue: Snapshot; seeds: Snapshot }> | null = null
const freshCatalogue = async (t: Teardown) => (await freshSnapshots(t)).catalogue
const freshSeeds = async (t: Teardown) => (await freshSnapshots(t)).seeds

async function freshSnapshots(t: Teardown): Promise<{ catalogue: Snapshot; seeds: Snapshot }> {
  fresh ??= testDatabase(t).then(async ({ ownerUrl }) => ({
    catalogue: await catalogueSnapshot(ownerUrl),
    seeds: await seedSnapshot(ownerUrl),
  }))
  return await fresh
}
