import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { openDatabase } from '../../db/client.ts'
import { askOne, ownerSql, refusal, refusalDetail, serve, signUp } from '../support/actors.ts'
import { makeProfile, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'
import { counterDifferences, usageOf } from '../support/usage.ts'

test('with limits enforced, of thirty uploads at once exactly the allowed ten are taken', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  const wide = openDatabase({ url: appUrl, applicationName: 'exora-test', max: 15 })
  t.teardown(() => wide.close())
  const person = await signUp(db)
  const childId = await makeProfile(db, person)
  const states = await Promise.all(
    Array.from({ length: 30 }, (_, index) =>
      refusal(upload(wide, person, { patientId: index % 2 === 0 ? childId : person.profileId })),
    ),
  )
  t.equal(states.filter((state) => state === 'allowed').length, 10)
  t.equal(states.filter((state) => state === 'EX402').length, 20)
  t.equal((await serve(db, sql`select 1 from shell_files`)).length, 10, 'what is refused leaves nothing')
  t.equal((await usageOf(db, person)).usage.shell_files.used, 10)
  t.same(await counterDifferences(db), [])

  t.match(await refusalDetail(upload(db, person)), { limit_name: 'shell_files', used: 10, limit: 10, requested: 1 })
  const check = sql`select public.check_upload_allowed(${person.profileId}, 1, 1) as value`
  t.match(await askOne(db, person.actor, check), {
    allowed: false,
    enforced: true,
    passed: [{ limit_name: 'shell_files', used: 10, limit: 10 }],
  })
  t.equal((await upload(db, await signUp(db))).outcome, 'created', 'one account’s limit is not another’s')
})

test('a file that the patient has already is answered, not refused, at the limit', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await ownerSql(t, ownerUrl)`update feature_flags set enabled = true where feature_name = 'usage_limits_enforced'`
  const person = await signUp(db)
  await upload(db, person, { content: 'letter', pages: 100 })
  t.equal(await refusal(upload(db, person)), 'EX402')
  t.equal((await upload(db, person, { content: 'letter' })).outcome, 'duplicate')
})

test('without enforcement nothing is refused, but people are told', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  await upload(db, person, { pages: 85 })
  t.same((await usageOf(db, person)).warnings, [{ limit_name: 'pages', level: 'near' }])
  await upload(db, person, { pages: 15 })
  t.match(await usageOf(db, person), {
    status: { over_limit: false, upgrade_required: true },
    warnings: [{ limit_name: 'pages', level: 'reached' }],
  })
  t.equal(await refusal(upload(db, person, { pages: 50 })), 'allowed')
  t.match(await usageOf(db, person), {
    usage: { pages: { used: 150, limit: 100, percentage: 150 } },
    status: { over_limit: true, upgrade_required: true },
    warnings: [{ limit_name: 'pages', level: 'over' }],
  })
  const check = sql`select public.check_upload_allowed(${person.profileId}, 1, 1) as value`
  t.match(await askOne(db, person.actor, check), { allowed: true, enforced: false, passed: [{ limit_name: 'pages' }] })
})
