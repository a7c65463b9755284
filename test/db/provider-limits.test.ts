import { test } from 'tap'
import { endpointWith } from '../support/limits.ts'

test('a provider that asks for a pause gets it from everybody', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 100 })
  await sql`select public.record_provider_limits('tester', 'chat', 30000)`
  await sql`select public.record_provider_limits('tester', 'chat', 1000)`
  const grants = await Promise.all(Array.from({ length: 10 }, () => ask()))
  t.ok(grants.every((grant) => !grant.granted && grant.retry_after_ms > 29_000 && grant.retry_after_ms <= 30_000))
  await sql`update public.api_rate_limits set blocked_until = clock_timestamp() where provider_name = 'tester'`
  t.equal((await ask()).granted, true)
})

test('the smaller of configured and reported limits counts', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 100 })
  await sql`select public.record_provider_limits('tester', 'chat', 0, 2)`
  const grants = [await ask(), await ask(), await ask()]
  t.same(
    grants.map((grant) => grant.granted),
    [true, true, false],
  )
  await sql`select public.record_provider_limits('tester', 'chat', 0, 5000)`
  t.equal((await ask()).granted, true)
})

test('what a provider says counts for an hour, and is written down once', async (t) => {
  const { acquire: ask, sql } = await endpointWith(t, { requests: 100 })
  const say = () => sql`select public.record_provider_limits('tester', 'chat', 0, 1)`
  const version = async () =>
    (await sql`select xmin::text from public.api_rate_limits where provider_name = 'tester'`)[0]
  await say()
  const first = await version()
  await say()
  t.same(await version(), first, 'the same again changes nothing')
  t.same([(await ask()).granted, (await ask()).granted], [true, false])
  await sql`update public.api_rate_limits set reported_at = now() - interval '61 minutes'`
  t.equal((await ask()).granted, true, 'an account that may do more recovers by itself')
})
