import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { historySchema, usageSchema } from '../../server/routes/usage/schema.ts'
import { actorOf, ownerSql } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount } from '../support/app.ts'
import { giveAccess } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

test('usage', async (group) => {
  const { db, ownerUrl, account } = await startApp(group)
  const owner = ownerSql(group, ownerUrl)
  const turn = (flag: string, on: boolean) =>
    owner`update feature_flags set enabled = ${on} where feature_name = ${flag}`
  const usageOf = async (who: TestAccount) =>
    usageSchema.parse((await who.get(`/usage?patient_id=${who.profileId}`)).body)
  const setPlan = (who: TestAccount, body: object) => who.put('/usage/subscription', body)
  const operator = await account(randomUUID())
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`

  await group.test('the switches are followed from the next request on, without a restart', async (t) => {
    const parent = await account(randomUUID())
    await parent.upload({ bytes: pdf('first'), fields: { estimated_pages: '100' } })
    t.match((await usageOf(parent)).status, { upgrade_required: true, enforced: false, upgrade_prompt: false })

    await turn('upgrade_prompts_enabled', true)
    t.equal((await usageOf(parent)).status.upgrade_prompt, true)
    await turn('upgrade_prompts_enabled', false)
    t.equal((await usageOf(parent)).status.upgrade_prompt, false)

    await turn('usage_limits_enforced', true)
    t.match(await parent.upload({ bytes: pdf('second') }), {
      status: 402,
      body: { code: 'plan_limit_reached', limit: { name: 'pages', used: 100, limit: 100 } },
    })
    await turn('usage_limits_enforced', false)
    t.equal((await parent.upload({ bytes: pdf('second') })).status, 201)

    await turn('usage_tracking_enabled', false)
    t.equal((await parent.upload({ bytes: pdf('third') })).status, 201)
    t.equal((await usageOf(parent)).usage.shell_files.used, 2)
    await turn('usage_tracking_enabled', true)
    t.equal((await parent.upload({ bytes: pdf('fourth') })).status, 201)
    t.equal((await usageOf(parent)).usage.shell_files.used, 3)
  })

  await group.test('an operator changes a plan, at once or with the next month, and nobody else does', async (t) => {
    const parent = await account(randomUUID())
    t.match(await setPlan(parent, { account_id: parent.accountId, plan_type: 'enterprise' }), {
      status: 403,
      body: { code: 'forbidden' },
    })
    t.match(await setPlan(operator, { account_id: parent.accountId, plan_type: 'premium' }), {
      status: 200,
      body: { account_id: parent.accountId, plan_type: 'premium' },
    })
    t.equal((await usageOf(parent)).status.plan_type, 'premium')
    const later = await setPlan(operator, {
      account_id: parent.accountId,
      plan_type: 'free',
      effective: 'next_cycle',
    })
    const { status, current_period: period } = await usageOf(parent)
    t.equal(status.plan_type, 'premium', 'until the month is over')
    t.equal(later.body['effective_from'], new Date(period.resets_at).toISOString())
    t.match(await setPlan(operator, { account_id: randomUUID(), plan_type: 'free' }), { status: 404 })
    t.match(await setPlan(operator, { account_id: parent.accountId, plan_type: 'gold' }), { status: 400 })
    const audited = await owner`
      select 1 from audit_log where table_name = 'account_subscriptions' and changed_by = ${operator.accountId}
        and new_values ->> 'plan_type' = 'premium'`
    t.equal(audited.length, 1)
  })

  await group.test('months are told to whoever pays, profile by profile, and to nobody else', async (t) => {
    const [parent, helper] = [await account(randomUUID()), await account(randomUUID())]
    const as = (who: TestAccount) => ({ ...who, actor: actorOf(who.accountId) })
    await giveAccess(db, as(parent), as(helper), parent.profileId, { level: 'owner' })
    await parent.upload({ bytes: pdf('mine'), fields: { estimated_pages: '3' } })
    const answer = await parent.get('/usage/history')
    const { months } = historySchema.parse(answer.body)
    t.match(months, [{ patient_id: parent.profileId, shell_files: 1, pages: 3, storage_bytes: pdf('mine').byteLength }])
    t.same((await parent.get(`/usage/history?patient_id=${parent.profileId}`)).body, answer.body)
    t.match(await helper.get(`/usage/history?patient_id=${parent.profileId}`), { status: 404 })
    t.same((await helper.get('/usage/history')).body, { months: [] })
    t.equal((await parent.get('/usage/history?months=0')).status, 400)
  })
})
