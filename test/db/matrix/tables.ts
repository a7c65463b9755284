/** What each table and view is to whoever reads it. One that is missing here fails a test: somebody must decide. */
export type Kind =
  | 'profile'
  | 'document'
  | 'clinical'
  | 'narrative'
  | 'consents'
  | 'sharing'
  | 'clinician access'
  | 'break-glass'
  | 'exports'
  | 'audit'
  | 'registry'
  | 'account'
  | 'everybody'
  | 'internal'
  | 'login'

/** SQL expressions over a row: whose it is. Null = of nobody in particular. */
type Whose = { readonly patient: string | null; readonly account: string | null }
export type TableSpec = Whose & {
  readonly kind: Kind
  /** What services may do, besides reading. `columns`: only some of them. */
  readonly service: readonly ServiceVerb[] | 'closed'
}
export type ServiceVerb = 'insert' | 'update' | 'update of columns' | 'delete'

const full = ['insert', 'update', 'delete'] as const
const ofPatient = { patient: 'patient_id', account: null }
const ofFile = {
  patient: '(select file.patient_id from public.shell_files as file where file.id = shell_file_id)',
  account: null,
}
const ofAccount = { patient: null, account: 'account_id' }
const ofNobody = { patient: null, account: null }

const document = (service: TableSpec['service'] = full): TableSpec => ({ kind: 'document', ...ofPatient, service })
const clinical: TableSpec = { kind: 'clinical', ...ofPatient, service: full }
const internal = (service: TableSpec['service'] = full): TableSpec => ({ kind: 'internal', ...ofNobody, service })

export const tables: Readonly<Record<string, TableSpec>> = {
  user_profiles: { kind: 'profile', patient: 'id', account: 'account_owner_id', service: full },

  shell_files: document(['insert', 'update of columns', 'delete']),
  shell_file_stages: { kind: 'document', ...ofFile, service: [] },
  shell_file_events: document([]),
  shell_file_pages: { kind: 'document', ...ofFile, service: full },
  shell_file_texts: { kind: 'document', ...ofFile, service: full },
  processing_errors: document(),
  manual_review_queue: document(),

  entity_processing_audit_v2: clinical,
  fact_sources: clinical,
  semantic_processing_sessions: clinical,
  medical_code_assignments: clinical,
  fact_review_decisions: clinical,
  fact_snapshots: clinical,
  healthcare_encounters: clinical,
  patient_clinical_events: clinical,
  patient_observations: clinical,
  patient_observation_components: clinical,
  patient_medications: clinical,
  patient_conditions: clinical,
  patient_allergies: clinical,
  patient_immunizations: clinical,
  patient_interventions: clinical,
  family_history: clinical,
  social_history: clinical,

  clinical_narratives: { kind: 'narrative', ...ofPatient, service: full },
  clinical_narrative_sentences: { kind: 'narrative', ...ofPatient, service: full },

  patient_consents: { kind: 'consents', ...ofPatient, service: [] },
  profile_access_permissions: { kind: 'sharing', patient: 'profile_id', account: 'account_id', service: [] },
  patient_provider_access: {
    kind: 'clinician access',
    patient: 'patient_id',
    account: '(select provider.account_id from public.provider_registry as provider where provider.id = provider_id)',
    service: [],
  },
  break_glass_accesses: { kind: 'break-glass', patient: 'patient_id', account: 'account_id', service: [] },
  data_exports: { kind: 'exports', ...ofPatient, service: [] },
  audit_log: { kind: 'audit', ...ofPatient, service: [] },
  provider_registry: { kind: 'registry', ...ofAccount, service: [] },

  account_roles: { kind: 'account', ...ofAccount, service: [] },
  account_subscriptions: { kind: 'account', ...ofAccount, service: [] },
  account_closures: { kind: 'account', ...ofAccount, service: [] },
  user_profile_context: { kind: 'account', ...ofAccount, service: [] },
  system_notifications: { kind: 'account', ...ofAccount, service: [] },
  usage_events: { kind: 'account', ...ofAccount, service: [] },
  user_usage_tracking: { kind: 'account', ...ofAccount, service: [] },

  subscription_plans: { kind: 'everybody', ...ofNobody, service: full },
  consent_purposes: { kind: 'everybody', ...ofNobody, service: full },
  retention_rules: { kind: 'everybody', ...ofNobody, service: full },
  terminology_systems: { kind: 'everybody', ...ofNobody, service: [] },
  terminology_concepts: { kind: 'everybody', ...ofNobody, service: [] },
  terminology_synonyms: { kind: 'everybody', ...ofNobody, service: [] },

  api_capacity_reservations: internal(),
  api_daily_use: internal(),
  api_rate_limits: internal(),
  api_usage_slots: internal(),
  audit_seals: internal('closed'),
  erased_objects: internal([]),
  model_answers: internal(),
  page_pictures: internal(),
  failed_audit_events: internal([]),
  feature_flags: internal(),
  idempotency_keys: internal(),
  resumable_uploads: internal(),
  job_lanes: internal([]),
  job_queue: internal(),
  job_schedules: internal(),
  job_types: internal(),
  request_allowances: internal(),
  slo_alert_deliveries: internal(),
  slo_alerts: internal(),
  slo_states: internal(),
  system_configuration: internal(),
  workers: internal(),

  'login.users': { kind: 'login', ...ofNobody, service: 'closed' },
  'login.sessions': { kind: 'login', ...ofNobody, service: 'closed' },
  'login.accounts': { kind: 'login', ...ofNobody, service: 'closed' },
  'login.verifications': { kind: 'login', ...ofNobody, service: 'closed' },
  'login.two_factors': { kind: 'login', ...ofNobody, service: 'closed' },
  'login.messages': { kind: 'login', ...ofNobody, service: 'closed' },
  'login.keys': { kind: 'login', ...ofNobody, service: 'closed' },
}

/** Views show what their reader may see of the tables behind them. */
export const views: Readonly<Record<string, { readonly kind: Kind; readonly patient: string }>> = {
  patient_record: { kind: 'clinical', patient: 'patient_id' },
  fact_readings: {
    kind: 'clinical',
    patient: '(select file.patient_id from public.shell_files as file where file.id = shell_file_id)',
  },
  patient_narrative: { kind: 'narrative', patient: 'patient_id' },
}
