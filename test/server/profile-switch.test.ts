import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { actorOf, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import { giveAccess } from '../support/factories.ts'

test('whose record somebody has open is the same on all of their devices, and opens nothing', async (t) => {
  const { db, ownerUrl, account } = await startApp(t)
  const owner = ownerSql(t, ownerUrl)
  const [carer, mother, stranger] = [
    await account(randomUUID()),
    await account(randomUUID()),
    await account(randomUUID()),
  ]
  const acting = (who: typeof carer) => ({ ...who, actor: actorOf(who.accountId) })
  await giveAccess(db, acting(mother), acting(carer), mother.profileId, { level: 'read_only' })
  const switchTo = (id: string) => carer.post(`/profiles/${id}/switch`, {})
  const context = async () => (await carer.get('/profiles')).body
  t.match(await context(), { current_profile_id: null, recent_profile_ids: [] })

  t.match(await switchTo(mother.profileId), { status: 200, body: { current_profile_id: mother.profileId } })
  t.match(await switchTo(carer.profileId), { status: 200 })
  t.same((await context())['recent_profile_ids'], [carer.profileId, mother.profileId])
  await Promise.all([switchTo(mother.profileId), switchTo(mother.profileId)])
  t.same((await context())['recent_profile_ids'], [mother.profileId, carer.profileId], 'each once')

  const [foreign, nobody] = [await switchTo(stranger.profileId), await switchTo(randomUUID())]
  t.equal(foreign.status, 404)
  t.same({ ...foreign.body, correlation_id: 0 }, { ...nobody.body, correlation_id: 0 })
  await owner`update profile_access_permissions set revoked_at = now()`
  t.match(await context(), { current_profile_id: null, recent_profile_ids: [carer.profileId] }, 'not reached any more')
  t.match(await mother.get('/profiles').then(({ body }) => body), { current_profile_id: null })
})
