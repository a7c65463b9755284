import { accessOf, registerProvider, requestAccess, verifyProvider } from '../../support/clinicians.ts'
import { giveAccess } from '../../support/factories.ts'
import type { House } from './house.ts'
import { signUp } from './house.ts'

const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString()

export async function shareAccess({ server, api, person, carer, asPerson }: House): Promise<void> {
  const { profileId } = person
  const end = 'DELETE /profiles/{id}/access/{grant_id}'
  const friend = await signUp(api, 'friend@example.test')
  const offer = { path: { id: profileId }, json: { account_id: friend.accountId, level: 'read_only' } }
  const offered = await asPerson('POST /profiles/{id}/access', offer)
  await api.ask('POST /profiles/{id}/access', { token: carer.token, ...offer })
  await asPerson('GET /profiles/{id}/access', { path: { id: profileId } })
  const path = { id: profileId, grant_id: String(offered.body['id']) }
  await api.ask('POST /profiles/{id}/access/{grant_id}/accept', { token: friend.token, path })

  // Who manages access ends none that is higher than their own.
  const manager = await signUp(api, 'manager@example.test')
  await giveAccess(server.db, person, manager, profileId, { level: 'full_access' })
  const higher = await giveAccess(server.db, person, friend, profileId, { level: 'owner' })
  await api.ask(end, { token: manager.token, path: { ...path, grant_id: higher } })
  for (const grantId of [higher, higher]) await asPerson(end, { path: { ...path, grant_id: grantId } })
}

export async function decideConsents({ api, person, carer }: House): Promise<void> {
  const path = { id: person.profileId, purpose: 'outside_ai' }
  for (const { token } of [person, carer]) {
    await api.ask('GET /profiles/{id}/consents', { token, path })
    await api.ask('PUT /profiles/{id}/consents/{purpose}', { token, path, json: { decision: 'granted' } })
  }
}

export async function answerClinicians({ server, api, person, operator, asPerson }: House): Promise<void> {
  const { db } = server
  const { profileId } = person
  const request = async (email: string) => {
    const clinician = await signUp(api, email)
    await verifyProvider(db, operator, await registerProvider(db, clinician))
    await requestAccess(db, clinician, profileId)
    return { id: await accessOf(db, clinician, profileId) }
  }
  const approval = { json: { ends_at: tomorrow() } }
  const refused = await request('refused@example.test')
  await asPerson('GET /providers/requests', { query: `?patient_id=${profileId}` })
  // Sees what is asked, and is no guardian.
  const relative = await signUp(api, 'relative@example.test')
  await giveAccess(db, person, relative, profileId, { level: 'full_access' })
  const asRelative = { token: relative.token, path: refused }
  await api.ask('POST /providers/requests/{id}/approve', { ...asRelative, ...approval })
  await api.ask('POST /providers/requests/{id}/decline', { ...asRelative, json: {} })
  for (const path of [refused, refused]) await asPerson('POST /providers/requests/{id}/decline', { path, json: {} })
  const path = await request('admitted@example.test')
  for (const name of ['approve', 'approve', 'revoke', 'revoke'])
    await asPerson(`POST /providers/requests/{id}/${name}`, { path, ...(name === 'approve' ? approval : { json: {} }) })
}

/** After a clinician has asked: that is what one is told. */
export async function readNotifications({ asPerson }: House): Promise<void> {
  const { body } = await asPerson('GET /notifications')
  const [first] = body['notifications'] as { id: string }[]
  await asPerson('POST /notifications/{id}/read', { path: { id: String(first?.id) }, json: {} })
}

export async function reportEvents({ person, asPerson }: House): Promise<void> {
  const events = [{ patient_id: person.profileId, event: 'record_shared' }]
  await asPerson('POST /audit/events', { json: { events } })
  await asPerson('GET /audit/events', { query: `?patient_id=${person.profileId}` })
}
