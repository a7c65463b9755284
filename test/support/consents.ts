import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { asActor } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { recordConsent } from '../../db/queries/consents.ts'
import type { ConsentDecision } from '../../db/queries/consents.ts'
import type { Account } from './actors.ts'
import { eventually } from './signals.ts'

export type Decided = Partial<Omit<ConsentDecision, 'decision'>>

/** A decision about one's own data, and about processing, unless said otherwise. */
export async function decide(
  db: Database,
  by: Account,
  decision: ConsentDecision['decision'],
  about: Decided = {},
): Promise<number> {
  const decided = { profileId: by.profileId, purpose: 'data_processing' as const, ...about, decision }
  return await asActor(db, by.actor, (tx) => recordConsent(tx, decided))
}

/** A consent that was given and has run out meanwhile. */
export async function grantThatRanOut(
  owner: postgres.Sql,
  person: Account,
  purpose = 'data_processing',
): Promise<void> {
  await owner`
    insert into public.patient_consents (patient_id, purpose, decision, decided_by, capacity, expires_at)
    values (${person.profileId}, ${purpose}, 'granted', ${person.accountId}, 'self', now() - interval '1 second')`
}

/** Somebody who may decide for a person as its guardian, or could until a moment ago. */
export async function makeGuardian(
  owner: postgres.Sql,
  account: Account,
  profileId: string,
  still: 'runs' | 'ended' = 'runs',
): Promise<void> {
  const endsInSeconds = still === 'runs' ? 3_600 : -1
  await owner`
    insert into public.profile_access_permissions
      (profile_id, account_id, permission_level, capacity, starts_at, ends_at, accepted_at)
    values (${profileId}, ${account.accountId}, 'owner', 'guardian', now() - interval '1 day',
      now() + make_interval(secs => ${endsInSeconds}), now())`
}

/** A verified clinician whom the patient has let in. */
export async function makeClinician(owner: postgres.Sql, account: Account, patientId: string): Promise<void> {
  const id = randomUUID()
  await owner`
    insert into public.provider_registry
      (id, account_id, display_name, profession, registration_authority, registration_number, verification_status)
    values (${id}, ${account.accountId}, 'Dr Example', 'physician', 'Example Board', ${id}, 'verified')`
  await owner`
    insert into public.patient_provider_access
      (patient_id, provider_id, status, purpose, permission_level, resource_types, starts_at, ends_at)
    values (${patientId}, ${id}, 'approved', 'treatment', 'read_write', '{document,clinical,narrative}', now(),
      now() + interval '1 day')`
}

/** Until somebody waits for a person's processing permission: the other side of a race has come as far as it can. */
export async function untilSomebodyWaits(sql: postgres.Sql): Promise<void> {
  await eventually(async () => {
    const waiting = await sql`
      select from pg_locks
      where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())
        and not granted`
    if (waiting.length === 0) throw new Error('nobody waits')
  })
}
