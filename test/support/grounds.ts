/** Grounds on which somebody reads, besides owning and delegation: in one call each, for accounts that exist already. */
import type postgres from 'postgres'
import type { Database } from '../../db/client.ts'
import { signUp } from './actors.ts'
import type { Account } from './actors.ts'
import { admitClinician, breakGlass, registerProvider, verifyProvider } from './clinicians.ts'
import type { Clinician, RequestFields } from './clinicians.ts'

/** Lets clinicians be verified, and may break glass. */
export async function operatorOf(db: Database, owner: postgres.Sql, name = 'Operator'): Promise<Account> {
  const operator = await signUp(db, name)
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  return operator
}

/** The account becomes a verified clinician, whom the patient lets in for a second opinion; gives the id of the approval. */
export async function letClinicianIn(
  db: Database,
  operator: Account,
  approved: { readonly doctor: Account; readonly by: Account; readonly patientId: string } & RequestFields,
): Promise<string> {
  const { doctor, by, patientId, ...fields } = approved
  const providerId = await registerProvider(db, doctor)
  await verifyProvider(db, operator, providerId)
  const clinician: Clinician = { ...doctor, providerId }
  return await admitClinician(db, clinician, by, patientId, { purpose: 'second_opinion', ...fields })
}

/** Gives the id of the access. */
export async function breakGlassOf(db: Database, by: Account, patientId: string): Promise<string> {
  return String(await breakGlass(db, by, patientId))
}
export const glassReason = 'found unconscious at home'
