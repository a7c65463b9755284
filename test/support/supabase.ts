import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'
import { embeddedHome, readConnectionFile } from '../../db/embedded/connection-file.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { emptyFolder, query } from './embedded.ts'
import type { Teardown } from './postgres.ts'

/** URLs of the logins of a Supabase project. */
export type SupabaseProject = {
  /** The platform's superuser, whom no customer ever is. */
  readonly platform: string
  /** Who migrates. */
  readonly postgres: string
  /** Whom the API server logs in as. */
  readonly authenticator: string
  /** Whom the service of the accounts logs in as. */
  readonly auth: string
  readonly storage: string
  /** Makes the login of our server and workers, in the way that docs/operations.md says. */
  makeExoraLogin(): Promise<string>
}

const projectSql = readFileSync(join(import.meta.dirname, '../fixtures/supabase/project.sql'), 'utf8')

/**
 * A cluster of its own that looks like a new Supabase project: `service_role` passes by row level security there, which
 * in the cluster that the tests share would change what other files see.
 */
export async function startSupabase(t: Teardown): Promise<SupabaseProject> {
  const dataDir = emptyFolder(t)
  const running = await startEmbedded({ dataDir, durability: 'disposable' })
  t.teardown(() => running.close())
  const superuser = readConnectionFile(embeddedHome(dataDir))?.superuser
  if (superuser === undefined) throw new Error('the cluster left no connection file')

  const platform = await nameTheSuperuser(superuser)
  const password = randomBytes(16).toString('hex')
  const as = (name: string) => withLogin(platform, name, password)
  await query(platform, async (sql) => {
    // What the embedded database makes for itself is not there.
    await sql`drop database exora`
    await sql`drop role exora_owner, exora_app`
    await sql.unsafe(projectSql).simple()
    for (const role of ['postgres', 'authenticator', 'supabase_auth_admin', 'supabase_storage_admin'])
      await sql.unsafe(`alter role ${role} password '${password}'`)
  })
  return {
    platform,
    postgres: as('postgres'),
    authenticator: as('authenticator'),
    auth: as('supabase_auth_admin'),
    storage: as('supabase_storage_admin'),
    makeExoraLogin: async () => {
      await query(as('postgres'), (sql) => sql.unsafe(`create role exora_app login noinherit password '${password}'`))
      return as('exora_app')
    },
  }
}

/** There the superuser is `supabase_admin`, and `postgres` a role like others. A session cannot rename itself. */
async function nameTheSuperuser(url: string): Promise<string> {
  await query(url, (sql) => sql`create role renaming superuser login password 'renaming'`)
  await query(withLogin(url, 'renaming', 'renaming'), (sql) => sql`alter role postgres rename to supabase_admin`)
  const renamed = withLogin(url, 'supabase_admin', new URL(url).password)
  await query(renamed, (sql) => sql`drop role renaming`)
  return renamed
}

function withLogin(url: string, name: string, password: string): string {
  const changed = new URL(url)
  changed.username = name
  changed.password = password
  return changed.href
}

export type ApiCaller = {
  readonly role: 'anon' | 'authenticated' | 'service_role'
  readonly accountId?: string
  /** What else the token says, or says otherwise. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Functions that only read may be called by GET, which is a read-only transaction. */
  readonly method?: 'GET' | 'POST'
}

/**
 * Calls a function as the API server does for `rpc(name, args)`: it logs in as `authenticator`, takes the role of the
 * token and its claims for one transaction, and hands over the arguments by name, each as the type that it is declared.
 */
export async function callApi(
  authenticator: postgres.Sql,
  caller: ApiCaller,
  name: string,
  args: Readonly<Record<string, postgres.JSONValue>> = {},
): Promise<unknown> {
  const types = await argumentTypes(authenticator, name)
  return await asApiCaller(authenticator, caller, async (tx) => {
    const names = Object.keys(args)
    const columns = names.map((arg) => `"${arg}" ${types.get(arg) ?? 'text'}`).join(', ')
    const body = names.length === 0 ? '' : `json_to_record($1::text::json) as body (${columns}), lateral`
    const handed = names.map((arg) => `"${arg}" => body."${arg}"`).join(', ')
    const [row] = await tx.unsafe<{ answer: unknown }[]>(
      `select coalesce(json_agg(answer), '[]') as answer from ${body} "public"."${name}"(${handed}) as answer`,
      names.length === 0 ? [] : [JSON.stringify(args)],
    )
    return row?.answer
  })
}

/** One request: the role, the claims and the search path are those of its transaction alone. */
export async function asApiCaller<T>(
  authenticator: postgres.Sql,
  caller: ApiCaller,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const subject = caller.accountId === undefined ? {} : { sub: caller.accountId }
  const claims = JSON.stringify({ role: caller.role, ...subject, ...caller.claims })
  const { promise, resolve } = Promise.withResolvers<T>()
  await authenticator.begin(caller.method === 'GET' ? 'read only' : 'read write', async (tx) => {
    await tx`
      select
        set_config('search_path', '"public", "extensions"', true),
        set_config('role', ${caller.role}, true),
        set_config('request.jwt.claims', ${claims}, true),
        set_config('request.method', ${caller.method ?? 'POST'}, true)`
    resolve(await work(tx))
  })
  return await promise
}

async function argumentTypes(authenticator: postgres.Sql, name: string): Promise<Map<string, string>> {
  const rows = await authenticator<{ name: string; type: string }[]>`
    select argument.name, format_type(argument.type, null) as type
    from pg_proc, unnest(proargnames, coalesce(proallargtypes, proargtypes::oid[])) as argument (name, type)
    where pronamespace = 'public'::regnamespace and proname = ${name}`
  return new Map(rows.map((row) => [row.name, row.type]))
}
