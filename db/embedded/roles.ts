import type postgres from 'postgres'
import type { ConnectionFile } from './connection-file.ts'

const rolesLock = 7_306_002

/**
 * The superuser of the cluster is used here and nowhere else. It makes the two roles of a managed host: an owner who
 * migrates, and a login for server and workers; neither is superuser nor passes by row-level security.
 */
export async function prepareRoles(session: postgres.Sql, connection: ConnectionFile): Promise<void> {
  const owner = new URL(connection.owner)
  const app = new URL(connection.app)
  await session`select pg_advisory_lock(${rolesLock})`
  try {
    await makeRole(session, owner, 'login inherit createdb createrole')
    await makeRole(session, app, 'login noinherit')
    // Lets the owner end sessions of the app, as before a database is dropped.
    await session.unsafe(`grant pg_signal_backend to ${owner.username}`)
    await makeDatabase(session, owner.pathname.slice(1), owner.username)
  } finally {
    await session`select pg_advisory_unlock(${rolesLock})`
  }
}

async function makeRole(session: postgres.Sql, url: URL, attributes: string): Promise<void> {
  const [known] = await session`select 1 from pg_roles where rolname = ${url.username}`
  if (known) return
  // Names and passwords are our own, of letters and digits: DDL takes no parameters.
  await session.unsafe(`create role ${url.username} ${attributes} password '${url.password}'`)
}

async function makeDatabase(session: postgres.Sql, name: string, owner: string): Promise<void> {
  const [known] = await session`select 1 from pg_database where datname = ${name}`
  if (!known) await session.unsafe(`create database ${name} owner ${owner}`)
}
