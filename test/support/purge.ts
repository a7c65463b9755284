import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { asService } from '../../db/actor.ts'
import { purgeSteps } from '../../worker/handlers/purge-account.ts'
import { askOne } from './actors.ts'
import type { Account } from './actors.ts'
import type { House } from './house.ts'

export async function requestClosure({ db }: Pick<House, 'db'>, { actor }: Account): Promise<string> {
  return String(await askOne(db, actor, sql`select public.request_account_closure() as value`))
}

/** A closure whose waiting period is over. */
export async function dueClosure(house: House, account: Account): Promise<string> {
  const id = await requestClosure(house, account)
  await house.owner`update account_closures set due_at = now() - interval '1 second' where id = ${id}`
  return id
}

export const stepsOf = ({ db, store }: House, closureId: string): AsyncGenerator<string> =>
  purgeSteps(closureId, { store, write: (work) => asService(db, {}, work) })

export const purge = (house: House, closureId: string): Promise<string[]> => Array.fromAsync(stepsOf(house, closureId))

/** The tables in which a row says one of these, as text. */
export async function placesOf(owner: postgres.Sql, traces: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of await tablesOf(owner)) {
    const [counted] = await owner.unsafe<{ rows: number }[]>(
      `select count(*)::int as rows from ${name} as looked_at
       where exists (select from unnest($1::text[]) as trace where strpos(lower(looked_at::text), lower(trace)) > 0)`,
      [[...traces]],
    )
    if ((counted?.rows ?? 0) > 0) found.push(name)
  }
  return found
}

/** Every row that names one of the first ids and none of the others, table by table, as text. The log only grows. */
export async function rowsNaming(
  owner: postgres.Sql,
  ids: { readonly these: readonly string[]; readonly notThese: readonly string[] },
): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows: Record<string, readonly string[]> = {}
  for (const name of (await tablesOf(owner)).filter((table) => !table.startsWith('audit_'))) {
    const found = await owner.unsafe<{ said: string }[]>(
      `select looked_at::text as said from ${name} as looked_at
       where exists (select from unnest($1::text[]) as id where strpos(looked_at::text, id) > 0)
         and not exists (select from unnest($2::text[]) as id where strpos(looked_at::text, id) > 0)
       order by 1`,
      [[...ids.these], [...ids.notThese]],
    )
    if (found.length > 0) rows[name] = found.map(({ said }) => said)
  }
  return rows
}

async function tablesOf(owner: postgres.Sql): Promise<string[]> {
  const tables = await owner<{ name: string }[]>`
    select class.oid::regclass::text as name
    from pg_class as class
    where class.relnamespace in ('public'::regnamespace, 'login'::regnamespace, 'auth'::regnamespace)
      and class.relkind = 'r'
    order by 1`
  return tables.map(({ name }) => name)
}

/** A verified clinician with a patient's approval. */
export async function letClinicianIn(owner: postgres.Sql, clinician: Account, patient: Account): Promise<void> {
  const [provider] = await owner<{ id: string }[]>`
    insert into provider_registry
      (account_id, display_name, profession, registration_authority, registration_number, verification_status)
    values (${clinician.accountId}, 'Dr Known', 'physician', 'AHPRA', 'MED1', 'verified') returning id`
  await owner`
    insert into patient_provider_access
      (patient_id, provider_id, status, purpose, permission_level, resource_types, starts_at, ends_at)
    values (${patient.profileId}, ${provider?.id ?? ''}, 'approved', 'treatment', 'read_only', '{clinical}', now(),
      now() + interval '30 days')`
}
