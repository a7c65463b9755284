import { tables } from './tables.ts'
import type { Kind } from './tables.ts'

/** When a row is open to accounts, as the catalogue has it, said shortly by `shortRule`. */
export type Policy = {
  readonly verb: 'select' | 'insert' | 'update'
  readonly rule: string
  readonly on: readonly string[]
}

/** What accounts may do to which rows: all policies there are, besides the one that lets services and the owner through. */
export const policies: readonly Policy[] = [
  {
    verb: 'select',
    rule: `account_owner_id = auth.uid() or id in profiles('read_only', 'profile')`,
    on: ['user_profiles'],
  },
  {
    verb: 'select',
    rule: `patient_id in profiles('read_only', 'document')`,
    on: ['shell_files', 'shell_file_events', 'processing_errors', 'manual_review_queue'],
  },
  {
    verb: 'select',
    rule: 'its file is visible',
    on: ['shell_file_stages', 'shell_file_pages', 'shell_file_texts'],
  },
  { verb: 'select', rule: `patient_id in profiles('read_only', 'clinical')`, on: ofKind('clinical') },
  { verb: 'select', rule: `patient_id in profiles('read_only', 'narrative')`, on: ofKind('narrative') },
  { verb: 'select', rule: `patient_id in profiles('full_access', 'access')`, on: ['patient_consents'] },
  {
    verb: 'select',
    rule: `account_id = auth.uid() or profile_id in profiles('full_access', 'access')`,
    on: ['profile_access_permissions'],
  },
  {
    verb: 'select',
    rule: `provider_id = own_provider_id() or patient_id in profiles('full_access', 'access')`,
    on: ['patient_provider_access'],
  },
  {
    verb: 'select',
    rule: `account_id = auth.uid() or patient_id in profiles('owner', 'audit')`,
    on: ['break_glass_accesses'],
  },
  { verb: 'select', rule: `patient_id in profiles('owner', 'audit')`, on: ['data_exports', 'audit_log'] },
  {
    verb: 'select',
    rule: `verification_status = 'verified' or id = own_provider_id() or id is named by a visible patient_provider_access or the account is an operator`,
    on: ['provider_registry'],
  },
  { verb: 'select', rule: 'account_id = auth.uid()', on: ofKind('account') },
  { verb: 'select', rule: 'true', on: ofKind('everybody') },
  { verb: 'insert', rule: `account_owner_id = auth.uid() and profile_type <> 'self'`, on: ['user_profiles'] },
  { verb: 'update', rule: 'account_owner_id = auth.uid()', on: ['user_profiles'] },
]

function ofKind(kind: Kind): readonly string[] {
  return Object.keys(tables).filter((name) => tables[name]?.kind === kind)
}

const shortForms: readonly (readonly [RegExp, string])[] = [
  [/\s+/g, ' '],
  [/::text/g, ''],
  [/\( SELECT (auth\.uid|own_provider_id)\(\) AS \w+\)/g, '$1()'],
  [/= ANY \(\( SELECT accessible_profile_ids\(('\w+', '\w+')\) AS \w+\)::uuid\[\]\)/g, 'in profiles($1)'],
  [/EXISTS \( SELECT FROM shell_files file WHERE \(file\.id = \w+\.shell_file_id\)\)/g, 'its file is visible'],
  [
    /id = ANY \(ARRAY\( SELECT access\.provider_id FROM patient_provider_access access\)\)/g,
    'id is named by a visible patient_provider_access',
  ],
  [
    /EXISTS \( SELECT FROM account_roles held WHERE \(\(held\.account_id = auth\.uid\(\)\) AND \(held\.role = 'operator'\)\)\)/g,
    'the account is an operator',
  ],
  [/ AND /g, ' and '],
  [/ OR /g, ' or '],
]

/** The condition of a policy without the catalogue's own way of writing it. What no short form knows stays as it is. */
export function shortRule(condition: string): string {
  const short = shortForms.reduce((text, [long, form]) => text.replaceAll(long, form), condition)
  const bare = /^\((.*)\)$/.exec(short)?.[1] ?? short
  return bare.replaceAll(/(^| or | and )\(((?:[^()]|\([^()]*\))*)\)(?= or | and |$)/g, '$1$2')
}
