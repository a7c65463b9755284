import { randomUUID } from 'node:crypto'
import type { House } from './house.ts'

export async function keepProfiles({ api, person, carer, asPerson }: House): Promise<void> {
  const own = { id: person.profileId }
  for (const name of ['GET /profiles', 'GET /usage/plans', 'GET /usage/history', 'GET /account/closure'])
    await asPerson(name)
  await asPerson('POST /profiles', { json: { display_name: 'Child', profile_type: 'child' } })
  await asPerson('POST /profiles', { json: { display_name: 'Me', profile_type: 'self' } })
  await asPerson('GET /profiles/{id}', { path: own })
  await asPerson('POST /profiles/{id}/switch', { path: own, json: {} })
  for (const who of [person.token, carer.token])
    await api.ask('PATCH /profiles/{id}', { token: who, path: own, json: { display_name: 'Ann' } })
  await asPerson('GET /profiles/{id}/access-log', { path: own })
}

export async function showUsage({ api, person, carer, operator, asPerson }: House): Promise<void> {
  const query = `?patient_id=${person.profileId}`
  await asPerson('GET /usage', { query })
  for (const who of [person.token, carer.token])
    await api.ask('GET /usage/check', { token: who, query: `${query}&bytes=1` })
  const change = { json: { account_id: person.accountId, plan_type: 'premium' } }
  for (const who of [operator.token, person.token]) await api.ask('PUT /usage/subscription', { token: who, ...change })
  const nobody = { json: { account_id: randomUUID(), plan_type: 'premium' } }
  await api.ask('PUT /usage/subscription', { token: operator.token, ...nobody })
}

/** At the end: closes the account. */
export async function exportAndClose({ api, owner, person, carer, asPerson }: House): Promise<void> {
  const own = { id: person.profileId }
  const made = await asPerson('POST /profiles/{id}/export', { path: own })
  await api.ask('POST /profiles/{id}/export', { token: carer.token, path: own })
  await asPerson('GET /profiles/{id}/exports', { path: own })
  const archive = { path: { ...own, export_id: String(made.body['export_id']) } }
  await asPerson('GET /profiles/{id}/exports/{export_id}/content', archive)
  await owner`update data_exports set status = 'failed' where id = ${archive.path.export_id}`
  await asPerson('GET /profiles/{id}/exports/{export_id}/content', archive)
  for (const name of ['POST /account/close', 'POST /account/close/cancel', 'POST /account/close/cancel'])
    await asPerson(name)
}
