import { sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import { ask, askOne, signUp } from './actors.ts'
import type { Account } from './actors.ts'

export type Clinician = Account & { readonly providerId: string }

let registered = 0

export async function registerProvider(
  db: Database,
  account: Account,
  number = `MED-${++registered}`,
): Promise<string> {
  const query = sql`select public.register_provider('Dr Ada Hart', 'general practitioner', 'AHPRA', ${number}) as value`
  return String(await askOne(db, account.actor, query))
}

export async function verifyProvider(db: Database, by: Account, providerId: string, status = 'verified') {
  return await askOne(db, by.actor, sql`select public.verify_provider(${providerId}, ${status}) as value`)
}

/** Somebody with an entry in the registry, verified by an operator. */
export async function clinicianOf(db: Database, operator: Account): Promise<Clinician> {
  const account = await signUp(db, 'Clinician')
  const providerId = await registerProvider(db, account)
  await verifyProvider(db, operator, providerId)
  return { ...account, providerId }
}

export type RequestFields = {
  readonly purpose?: string
  readonly level?: string
  readonly resources?: readonly string[]
}

const everything = ['document', 'clinical', 'narrative']

export function requestAccess(db: Database, by: Account, patientId: string, fields: RequestFields = {}) {
  const { purpose = 'treatment', level = 'read_only', resources = everything } = fields
  return ask(
    db,
    by.actor,
    sql`select public.request_provider_access(${patientId}, ${purpose}, ${level}, ${wordArray(resources)})`,
  )
}

/** The newest row that a clinician has about a patient. */
export async function accessOf(db: Database, clinician: Account, patientId: string): Promise<string> {
  const query = sql`
    select id as value from patient_provider_access
    where patient_id = ${patientId} and provider_id = public.own_provider_id()
    order by requested_at desc, id desc limit 1`
  return String(await askOne(db, clinician.actor, query))
}

export type ApprovalFields = Omit<RequestFields, 'purpose'> & { readonly endsAt?: string | null }

export function approveAccess(db: Database, by: Account, accessId: string, fields: ApprovalFields = {}) {
  const { endsAt = 'tomorrow', level = null, resources } = fields
  const narrowed = resources === undefined ? sql`null` : wordArray(resources)
  return ask(
    db,
    by.actor,
    sql`select public.approve_provider_access(${accessId}, ${endsAt}::timestamptz, ${level}, ${narrowed})`,
  )
}

/** Asked for by the clinician, approved by whoever decides. */
export async function admitClinician(
  db: Database,
  clinician: Account,
  by: Account,
  patientId: string,
  fields: RequestFields = {},
): Promise<string> {
  await requestAccess(db, clinician, patientId, fields)
  const accessId = await accessOf(db, clinician, patientId)
  await approveAccess(db, by, accessId)
  return accessId
}

export function breakGlass(db: Database, by: Account, patientId: string, minutes = 60): Promise<unknown> {
  return askOne(
    db,
    by.actor,
    sql`select public.break_glass(${patientId}, 'emergency_care', 'found unconscious at home', ${minutes}) as value`,
  )
}

function wordArray(words: readonly string[]) {
  const values = words.map((word) => sql`${word}`)
  return sql`array[${sql.join(values, sql`, `)}]::text[]`
}
