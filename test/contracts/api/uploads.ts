import { randomUUID } from 'node:crypto'
import { pdf, uploadForm } from '../../support/multipart.ts'
import type { House } from './house.ts'
import { beginBeforeLimit } from './resumable.ts'

const bytes = pdf('twice')

type Binned = { readonly id: string }

export async function uploadAndBin(house: House): Promise<void> {
  const binned = { id: await uploadInOneGo(house) }
  await removeAndRestore(house, binned)
  await spendLimits(house, binned)
}

/** Answers with the id of the first document. */
async function uploadInOneGo({ server, api, owner, person, carer, asPerson, upload }: House): Promise<string> {
  const { profileId } = person
  const first = await upload(uploadForm(profileId, bytes), 'a key')
  await upload(uploadForm(profileId, bytes), 'a key')
  await upload(uploadForm(profileId, bytes))
  await upload(uploadForm(profileId, pdf('other')), 'a key')
  await upload(uploadForm(profileId, Buffer.from('MZ\0\0')))
  await upload(new FormData())
  await upload(uploadForm(randomUUID(), bytes))
  await asPerson('POST /documents/upload', {
    body: 'x',
    headers: { 'content-length': '1', 'content-type': 'text/plain' },
  })
  await upload(uploadForm(profileId, Buffer.alloc(server.config.uploads.maxBytes + 100_000)))
  await owner`
    insert into idempotency_keys (account_id, profile_id, idempotency_key, attempt_token, locked_until, expires_at)
    select ${person.accountId}, ${profileId}, 'held', ${randomUUID()}, now() + interval '1 hour', now() + interval '1 day'`
  await upload(undefined, 'held')
  await api.ask('POST /documents/upload', { token: carer.token, body: uploadForm(profileId, pdf('x')) })
  return String(first.body['shell_file_id'])
}

async function removeAndRestore({ api, person, carer, asPerson, upload }: House, binned: Binned): Promise<void> {
  for (const name of ['DELETE /documents/{id}', 'POST /documents/{id}/restore'])
    await api.ask(name, { token: carer.token, path: binned })
  await asPerson('DELETE /documents/{id}', { path: binned })
  await asPerson('POST /documents/{id}/restore', { path: binned })
  await asPerson('DELETE /documents/{id}', { path: binned })
  const again = await upload(uploadForm(person.profileId, bytes))
  await asPerson('POST /documents/{id}/restore', { path: binned })
  await asPerson('DELETE /documents/{id}', { path: { id: String(again.body['shell_file_id']) } })
}

async function spendLimits(house: House, binned: Binned): Promise<void> {
  const { owner, person, asPerson, upload } = house
  const { profileId } = person
  const goOnWithPieces = await beginBeforeLimit(house)
  await upload(uploadForm(profileId, pdf('pages'), { estimated_pages: '100' }))
  await owner`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  await upload()
  await owner`
    insert into usage_events (account_id, profile_id, event_type, source_id, storage_bytes, cycle_start)
    values (${person.accountId}, ${profileId}, 'file_uploaded', ${randomUUID()}, ${100 * 1_048_576}, current_date)`
  await asPerson('POST /documents/{id}/restore', { path: binned })
  await goOnWithPieces()
}
