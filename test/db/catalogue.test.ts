import { test } from 'tap'
import { ownerSql } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'

// Who may execute what, function by function: a new function is a decision, made here in sight of everybody.
const forAccounts = [
  'abandon_idempotent_request',
  'accept_profile_access',
  'accessible_profile_ids',
  'begin_idempotent_request',
  'cancel_account_closure',
  'cancel_job',
  'check_upload_allowed',
  'consents_of',
  'decide_identity_review',
  'delete_shell_file',
  'get_usage_history',
  'get_user_usage_status',
  'grant_profile_access',
  'has_profile_access',
  'has_profile_access_level',
  'has_resource_access',
  'has_semantic_data_access',
  'is_time_zone',
  'lift_processing_restriction',
  'mark_notification_read',
  'open_data_export',
  'own_provider_id',
  'record_consent',
  'register_shell_file',
  'reprocess_shell_file',
  'request_account_closure',
  'request_data_export',
  'requeue_dead_letter',
  'restore_shell_file',
  'restrict_processing',
  'revoke_profile_access',
  'schedule_plan_change',
  'track_shell_file_upload_usage',
  'uuid_v7',
]
const forServices = [
  'account_of_export',
  'acquire_api_capacity',
  'apply_retention',
  'audit_job',
  'begin_account_purge',
  'begin_data_export',
  'begin_schedule_slot',
  'begin_stage',
  'bury_job',
  'cancel_job',
  'checked_job_error',
  'claim_next_job_v3',
  'complete_job',
  'configured_number',
  'consent_holds',
  'delete_finished_jobs',
  'drop_old_audit_partitions',
  'end_job_reservations',
  'enqueue_job_v3',
  'ensure_audit_partitions',
  'expire_data_export',
  'fail_job',
  'feature_enabled',
  'finish_account_purge',
  'finish_data_export',
  'finish_schedule_slot',
  'finish_stage',
  'forget_erased_objects',
  'forget_silent_workers',
  'get_api_capacity',
  'get_usage_history',
  'get_user_usage_status',
  'hand_back_jobs',
  'has_profile_access',
  'has_profile_access_level',
  'has_resource_access',
  'has_semantic_data_access',
  'hold_consent',
  'hold_lease',
  'hold_processing_permission',
  'is_time_zone',
  'lock_patient_record',
  'log_audit_event',
  'pipeline_stages',
  'processing_allowed',
  'profiles_to_stop',
  'provision_account',
  'purge_data_export',
  'purge_deleted_files',
  'purge_people',
  'purge_shell_file',
  'record_processing_error',
  'record_provider_limits',
  'register_worker',
  'release_api_capacity',
  'report_stage_progress',
  'reprocess_shell_file',
  'requeue_dead_letter',
  'require_open_account',
  'require_processing_allowed',
  'reschedule_job',
  'rescue_stale_jobs',
  'retention_period',
  'role_towards',
  'schedule_plan_change',
  'seal_audit_log',
  'set_account_plan',
  'stop_job',
  'stop_unallowed_processing',
  'sweep_api_capacity',
  'take_job_out',
  'track_ai_processing_usage',
  'track_shell_file_upload_usage',
  'update_job_heartbeat',
  'update_job_heartbeats',
  'uuid_v7',
  'verify_audit_log',
  'worker_goodbye',
]
/** Nothing at all. */
const forAnybody: string[] = []

test('every function is executable by exactly those who are listed', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const executableBy = async (role: string) => {
    const rows = await owner<{ name: string }[]>`
      select distinct proname as name from pg_proc
      where pronamespace = 'public'::regnamespace and has_function_privilege(${role}, oid, 'execute')`
    return rows.map(({ name }) => name).toSorted()
  }
  t.same(await executableBy('anon'), forAnybody)
  t.same(await executableBy('authenticated'), forAccounts)
  t.same(await executableBy('service_role'), forServices)
  t.same(await executableBy('exora_app'), ['uuid_v7'], 'the bare login needs ids for new sign-ups')
})

test('every function has a pinned search path, a purpose, and one meaning', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const functions = await owner<{ name: string; pinned: boolean; purpose: string | null; owner_rules: boolean }[]>`
    select
      func.proname as name,
      coalesce(func.proconfig @> array['search_path=""'], false) as pinned,
      obj_description(func.oid, 'pg_proc') as purpose,
      role.rolsuper or role.rolbypassrls as owner_rules
    from pg_proc as func
    join pg_roles as role on role.oid = func.proowner
    where func.pronamespace = 'public'::regnamespace`
  t.ok(functions.length > 60)
  for (const { name, pinned, purpose, owner_rules: ownerRules } of functions) {
    t.ok(pinned, `${name} pins its search path`)
    t.ok(purpose, `${name} says what it is for`)
    t.notOk(ownerRules, `${name} does not run as somebody above row level security`)
  }
  t.equal(new Set(functions.map(({ name }) => name)).size, functions.length, 'no call is ambiguous')
})

test('every table is protected, even against its owner, and says what it is for', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const tables = await ownerSql(t, ownerUrl)<
    { name: string; enabled: boolean; forced: boolean; policies: number; purpose: string | null }[]
  >`
    select
      class.oid::regclass::text as name,
      class.relrowsecurity as enabled,
      class.relforcerowsecurity as forced,
      (select count(*) from pg_policy where polrelid = class.oid)::int as policies,
      obj_description(class.oid, 'pg_class') as purpose
    from pg_class as class
    where class.relnamespace in ('public'::regnamespace, 'login'::regnamespace) and class.relkind in ('r', 'p')`
  t.ok(
    tables.some(({ name }) => name.startsWith('audit_log_2')),
    'partitions are among them',
  )
  for (const { name, enabled, forced, policies, purpose } of tables) {
    t.ok(enabled && forced, `${name} has row level security, forced`)
    t.ok(policies > 0, `${name} has a policy`)
    t.ok(purpose, `${name} says what it is for`)
  }
})

test('for each table, command and role there is one policy, and none of clients lets everything through', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const policies = await ownerSql(t, ownerUrl)<
    { tablename: string; cmd: string; roles: string[]; qual: string | null; with_check: string | null }[]
  >`
    select tablename, cmd, roles::text[] as roles, qual, with_check from pg_policies
    where schemaname in ('public', 'login')`
  const seen = new Set<string>()
  const everyCommand = ['SELECT', 'INSERT', 'UPDATE', 'DELETE']
  for (const { tablename, cmd, roles, qual, with_check: check } of policies) {
    for (const role of roles) {
      for (const command of cmd === 'ALL' ? everyCommand : [cmd]) {
        const place = `${tablename} ${command} ${role}`
        t.notOk(seen.has(place), `${place}: one policy`)
        seen.add(place)
      }
      t.notOk(['anon', 'public'].includes(role), `${tablename}: nothing for ${role}`)
      if (role !== 'authenticated' || ['subscription_plans', 'consent_purposes', 'retention_rules'].includes(tablename))
        continue
      t.match(
        `${qual ?? ''}${check ?? ''}`,
        /uid\(\)|accessible_profile_ids|shell_files|own_provider_id/,
        `${tablename} ${cmd}`,
      )
      t.ok(cmd === 'SELECT' || check, `${tablename} ${cmd} checks what is written`)
    }
  }
})

test('views see what the reader sees', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const views = await ownerSql(t, ownerUrl)<{ name: string; options: string[] | null }[]>`
    select relname as name, reloptions as options from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')`
  for (const { name, options } of views) t.ok(options?.includes('security_invoker=true'), name)
})

test('what is made later starts closed', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`create table public.newcomer (id int)`
  await owner`create function public.newcomer() returns int language sql as 'select 1'`
  for (const role of ['anon', 'authenticated', 'service_role']) {
    const [may] = await owner`
      select has_table_privilege(${role}, 'public.newcomer', 'select, insert, update, delete') as reach,
        has_function_privilege(${role}, 'public.newcomer()', 'execute') as call`
    t.same(may, { reach: false, call: false }, role)
  }
})
