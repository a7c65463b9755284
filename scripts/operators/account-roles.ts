import type postgres from 'postgres'

export type Operator = { readonly accountId: string; readonly email: string | null; readonly since: Date }

/** Nobody, or more than one account, answers to this name. */
export class AccountNotFound extends Error {
  override readonly name = 'AccountNotFound'
}

// As the owner of the database: no role that a request or a worker can take may write account_roles. The trigger of the
// table audits each change.

export async function listOperators(owner: postgres.Sql): Promise<Operator[]> {
  return await owner<Operator[]>`
    select held.account_id as "accountId", account.email, held.created_at as since
    from public.account_roles as held
    left join auth.users as account on account.id = held.account_id
    where held.role = 'operator'
    order by held.created_at, held.account_id`
}

export async function grantOperator(owner: postgres.Sql, account: string): Promise<'granted' | 'held_already'> {
  const accountId = await findAccount(owner, account)
  const granted = await owner`
    insert into public.account_roles (account_id, role) values (${accountId}, 'operator')
    on conflict do nothing
    returning account_id`
  return granted.length > 0 ? 'granted' : 'held_already'
}

/** What the operator had broken glass to read is closed with it. */
export async function revokeOperator(owner: postgres.Sql, account: string): Promise<'revoked' | 'not_held'> {
  const accountId = await findAccount(owner, account)
  const revoked = await owner`
    delete from public.account_roles where account_id = ${accountId} and role = 'operator' returning account_id`
  return revoked.length > 0 ? 'revoked' : 'not_held'
}

async function findAccount(owner: postgres.Sql, account: string): Promise<string> {
  const found = await owner<{ id: string }[]>`
    select id from auth.users where id::text = lower(${account}) or lower(email) = lower(${account}) limit 2`
  const [only] = found
  if (only === undefined) throw new AccountNotFound('There is no account of this id or e-mail.')
  if (found.length > 1) throw new AccountNotFound('More than one account has this e-mail: name it by its id.')
  return only.id
}
