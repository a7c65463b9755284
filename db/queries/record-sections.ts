import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'

/** A file of an export: the rows of one table that are about a person, each with what hangs off it. */
export type RecordSection = {
  /** `record/<name>.ndjson`. */
  readonly name: string
  readonly table: string
  /** Which column of the table says whose a row is; `file`: the file that it hangs off. */
  readonly of: 'id' | 'patient_id' | 'profile_id' | 'file'
  /** In this order rows are told, and told on. */
  readonly key: readonly string[]
  /** Columns that say nothing of the person: places in the store, ids of work. */
  readonly without?: readonly string[]
  /** Ids of accounts, told as what each account is to the person. */
  readonly accounts?: readonly string[]
  /** What hangs off a row, as one JSON object. `source` is the row. */
  readonly more?: SQL
  /** The tables that `more` takes in whole. */
  readonly holds?: readonly string[]
  /** Rows read at once, where rows are large. */
  readonly batch?: number
}

/** The name that the directory of clinicians shows. */
const clinician = (isTheOne: SQL) => sql`
  'clinician', (
    select jsonb_build_object(
      'name', provider.display_name,
      'profession', provider.profession,
      'registration_authority', provider.registration_authority,
      'registration_number', provider.registration_number
    )
    from public.provider_registry as provider
    where ${isTheOne}
  )`

const spokes = [
  'patient_observations',
  'patient_medications',
  'patient_conditions',
  'patient_allergies',
  'patient_immunizations',
  'patient_interventions',
  'family_history',
  'social_history',
] as const

const spokeOf = (table: string) => sql`
  ${sql.raw(`'${table}'`)}, (
    select to_jsonb(spoke) - 'event_id' - 'patient_id' - 'assertion'
    from public.${sql.identifier(table)} as spoke
    where spoke.event_id = source.id
  )`

// Account ids in audited values are other people's as often as not.
const accountColumns = [
  'account_id',
  'account_owner_id',
  'decided_by',
  'granted_by',
  'requested_by',
  'reviewed_by',
  'undone_by',
  'uploaded_by',
  'verified_by',
]
const withoutAccounts = sql.raw(`array[${accountColumns.map((column) => `'${column}'`).join(', ')}]`)

/** All that is kept of a person, in the order in which an export tells it. Pages, originals and the account are told apart. */
export const recordSections: readonly RecordSection[] = [
  { name: 'profile', table: 'user_profiles', of: 'id', key: ['id'], accounts: ['account_owner_id'] },
  {
    name: 'documents',
    table: 'shell_files',
    of: 'patient_id',
    key: ['id'],
    without: ['storage_key', 'correlation_id'],
    accounts: ['uploaded_by'],
    holds: ['shell_file_stages', 'manual_review_queue', 'processing_errors'],
    more: sql`jsonb_build_object(
      'stages', (
        select jsonb_agg(to_jsonb(step) - 'shell_file_id' order by step.position)
        from public.shell_file_stages as step
        where step.shell_file_id = source.id
      ),
      'reviews', (
        select jsonb_agg(
          to_jsonb(review) - 'shell_file_id' - 'patient_id'
            || jsonb_build_object('decided_by', public.role_towards(review.decided_by, review.patient_id))
          order by review.created_at, review.id
        )
        from public.manual_review_queue as review
        where review.shell_file_id = source.id
      ),
      'errors', (
        select jsonb_agg(to_jsonb(failure) - 'shell_file_id' - 'patient_id' - 'job_id' order by failure.created_at, failure.id)
        from public.processing_errors as failure
        where failure.shell_file_id = source.id
      )
    )`,
  },
  { name: 'document-history', table: 'shell_file_events', of: 'patient_id', key: ['id'] },
  { name: 'texts', table: 'shell_file_texts', of: 'file', key: ['shell_file_id', 'version'], batch: 5 },
  {
    name: 'facts',
    table: 'entity_processing_audit_v2',
    of: 'patient_id',
    key: ['id'],
    accounts: ['reviewed_by'],
    holds: ['fact_sources', 'medical_code_assignments'],
    more: sql`jsonb_build_object(
      'sources', (
        select jsonb_agg(to_jsonb(place) - 'fact_id' - 'patient_id' order by place.ordinal)
        from public.fact_sources as place
        where place.fact_id = source.id
      ),
      'codes', (
        select jsonb_agg(to_jsonb(candidate) - 'fact_id' - 'patient_id' order by candidate.rank)
        from public.medical_code_assignments as candidate
        where candidate.fact_id = source.id
      )
    )`,
  },
  {
    name: 'fact-reviews',
    table: 'fact_review_decisions',
    of: 'patient_id',
    key: ['id'],
    accounts: ['decided_by', 'undone_by'],
  },
  // What an earlier run had found, while there is one to compare with.
  { name: 'facts-before', table: 'fact_snapshots', of: 'patient_id', key: ['shell_file_id'] },
  { name: 'encounters', table: 'healthcare_encounters', of: 'patient_id', key: ['id'] },
  {
    name: 'clinical-events',
    table: 'patient_clinical_events',
    of: 'patient_id',
    key: ['id'],
    holds: [...spokes, 'patient_observation_components'],
    more: sql`jsonb_strip_nulls(jsonb_build_object(
      'in_short', (
        select jsonb_build_object(
          'name', record.name,
          'value', coalesce(record.value_numeric::text, record.value_text),
          'unit', record.unit,
          'status', record.clinical_status
        )
        from public.patient_record as record
        where record.id = source.id
      ),
      'components', (
        select jsonb_agg(to_jsonb(component) - 'event_id' - 'patient_id' order by component.ordinal)
        from public.patient_observation_components as component
        where component.event_id = source.id
      ),
      ${sql.join(spokes.map(spokeOf), sql`, `)}
    ))`,
  },
  {
    name: 'narratives',
    table: 'clinical_narratives',
    of: 'patient_id',
    key: ['id'],
    holds: ['clinical_narrative_sentences'],
    more: sql`jsonb_build_object('sentences', (
      select jsonb_agg(to_jsonb(told) - 'narrative_id' - 'patient_id' order by told.ordinal)
      from public.clinical_narrative_sentences as told
      where told.narrative_id = source.id
    ))`,
  },
  {
    name: 'processing-runs',
    table: 'semantic_processing_sessions',
    of: 'patient_id',
    key: ['id'],
    without: ['job_id'],
  },
  { name: 'consents', table: 'patient_consents', of: 'patient_id', key: ['id'], accounts: ['decided_by'] },
  {
    name: 'access-grants',
    table: 'profile_access_permissions',
    of: 'profile_id',
    key: ['id'],
    accounts: ['account_id', 'granted_by'],
  },
  {
    name: 'clinicians',
    table: 'patient_provider_access',
    of: 'patient_id',
    key: ['id'],
    accounts: ['decided_by'],
    more: sql`jsonb_build_object(${clinician(sql`provider.id = source.provider_id`)})`,
  },
  {
    name: 'emergency-access',
    table: 'break_glass_accesses',
    of: 'patient_id',
    key: ['id'],
    accounts: ['account_id'],
    more: sql`jsonb_build_object(${clinician(sql`provider.account_id = source.account_id`)})`,
  },
  {
    name: 'usage',
    table: 'usage_events',
    of: 'profile_id',
    key: ['id'],
    accounts: ['account_id'],
  },
  {
    name: 'usage-by-month',
    table: 'user_usage_tracking',
    of: 'profile_id',
    key: ['account_id', 'cycle_start', 'profile_id'],
    accounts: ['account_id'],
  },
  {
    name: 'exports',
    table: 'data_exports',
    of: 'patient_id',
    key: ['id'],
    without: ['storage_key', 'job_id'],
    accounts: ['requested_by'],
  },
  {
    name: 'access-log',
    table: 'audit_log',
    of: 'patient_id',
    key: ['changed_at', 'id'],
    // Addresses and correlation ids come from whoever acted, who is not always the person.
    without: ['ip_address', 'correlation_id', 'job_id', 'chain_position', 'row_hash', 'patient_id'],
    accounts: ['changed_by'],
    more: sql`jsonb_build_object(
      'old_values', source.old_values - ${withoutAccounts},
      'new_values', source.new_values - ${withoutAccounts},
      ${clinician(sql`provider.account_id = source.changed_by`)}
    )`,
  },
]

/** Told apart from the sections: pages with their words, and the account in the export of its own person. */
export const toldApart = {
  shell_file_pages: 'record/pages.ndjson',
  'auth.users': 'record/account.json',
  'login.users': 'record/account.json',
  'login.sessions': 'record/account.json',
  'login.accounts': 'record/account.json',
  account_roles: 'record/account.json',
  account_subscriptions: 'record/account.json',
  account_closures: 'record/account.json',
  provider_registry: 'record/account.json',
  system_notifications: 'record/account.json',
} as const

/** Every other table there is, and why an export does not hold it. */
export const leftOutOfExports = {
  job_queue: 'Orders to workers, by ids; what was done stands in stages, errors and the access log.',
  idempotency_keys: 'Answers to uploads, kept for two days for the client that repeats one.',
  resumable_uploads: 'Uploads under way, kept for a day; what they become is a document.',
  user_profile_context: 'Whose record the app had open; each reading stands in the access log.',
  model_answers:
    'Answers of a model as they came, kept so that none is paid for twice; what was taken of them stands in the facts.',
  page_pictures: 'Pictures of pages, drawn from the documents, which are exported as they came.',
  erased_objects: 'Places in the store whose bytes are about to be deleted.',
  failed_audit_events: 'Audit rows on their way into the log, where the export finds them.',
  audit_seals: 'Hashes over the whole log.',
  'login.keys': 'Keys that sign tokens.',
  'login.verifications': 'Proofs that are good for minutes.',
  'login.two_factors': 'Secrets of the second factor; that there is one, the account itself tells.',
  'login.messages': 'Mail that was asked for within the last day, to an address that the account itself tells.',
  consent_purposes: 'The same for everybody.',
  retention_rules: 'The same for everybody.',
  subscription_plans: 'The same for everybody.',
  terminology_systems: 'The same for everybody.',
  terminology_concepts: 'The same for everybody.',
  terminology_synonyms: 'The same for everybody.',
  system_configuration: 'Settings of the installation.',
  feature_flags: 'Settings of the installation.',
  job_lanes: 'What operators have paused.',
  slo_states: 'Service levels of the installation.',
  slo_alerts: 'Service levels of the installation.',
  slo_alert_deliveries: 'Service levels of the installation.',
  job_types: 'Settings of the installation.',
  job_schedules: 'Recurring work of the installation.',
  workers: 'Processes of the installation.',
  api_rate_limits: 'Limits of outside services.',
  api_daily_use: 'Limits of outside services.',
  api_usage_slots: 'Limits of outside services.',
  api_capacity_reservations: 'Limits of outside services.',
  request_allowances: 'Limits on requests: hashes and times, for minutes.',
} as const
