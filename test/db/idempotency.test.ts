import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import type { Database } from '../../db/client.ts'
import { ask, askOne, ownerSql, refusal, signUp } from '../support/actors.ts'
import type { Account } from '../support/actors.ts'
import { giveAccess, upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const stateOf = z.object({ state: z.string() })

const begin = (db: Database, by: Account, key: string, token: string, lockSeconds = 300) =>
  askOne(
    db,
    by.actor,
    sql`select public.begin_idempotent_request(${by.profileId}, ${key}, ${token}, ${lockSeconds}) as value`,
  )

test('of twenty requests with one key at once, one runs', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const attempts = Array.from({ length: 20 }, () => randomUUID())
  const states = await Promise.all(
    attempts.map(async (token) => ({ token, ...stateOf.parse(await begin(db, person, 'k1', token)) })),
  )
  const started = states.filter(({ state }) => state === 'started')
  t.equal(started.length, 1)
  t.equal(states.filter(({ state }) => state === 'in_progress').length, 19)

  const token = started[0]?.token ?? ''
  t.match(await begin(db, person, 'k1', token), { state: 'started' }, 'the running attempt may ask again')
  const answer = await upload(db, person, { key: { key: 'k1', token, hash: 'h1' } })
  t.match(await begin(db, person, 'k1', randomUUID()), {
    state: 'completed',
    request_hash: 'h1',
    response_status: 201,
    response_body: answer.response_body,
    shell_file_id: answer.shell_file_id,
  })
})

test('a key is of one account and one profile', async (t) => {
  const { db } = await testDatabase(t)
  const [ann, bob] = [await signUp(db), await signUp(db)]
  await giveAccess(db, ann, bob, ann.profileId, { level: 'read_write' })
  t.match(await begin(db, ann, 'k', randomUUID()), { state: 'started' })
  t.match(await begin(db, bob, 'k', randomUUID()), { state: 'started' })
  const shared = sql`select public.begin_idempotent_request(${ann.profileId}, 'k', ${randomUUID()}) as value`
  t.match(await askOne(db, bob.actor, shared), { state: 'started' }, 'the same profile, another account')
})

test('an attempt that died holds its key no longer than its lock', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db)
  const [dead, next] = [randomUUID(), randomUUID()]
  await begin(db, person, 'k', dead, 0)
  t.match(await begin(db, person, 'k', next), { state: 'started' })

  const late = upload(db, person, { key: { key: 'k', token: dead } })
  t.equal(await refusal(late), 'EX409', 'the dead one cannot come back')
  const abandon = (token: string) =>
    ask(db, person.actor, sql`select public.abandon_idempotent_request(${person.profileId}, 'k', ${token})`)
  await abandon(dead)
  t.match(await begin(db, person, 'k', randomUUID()), { state: 'in_progress' }, 'nor give away what is not its own')
  await abandon(next)
  t.match(await begin(db, person, 'k', randomUUID()), { state: 'started' })
})

test('an answer is kept for a day at least, then its key is free', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const token = randomUUID()
  await owner`update system_configuration set config_value = '1' where config_key = 'idempotency.keep_hours'`
  await begin(db, person, 'k', token)
  await upload(db, person, { key: { key: 'k', token } })
  const [kept] = await owner`select expires_at >= now() + interval '23 hours 59 minutes' as long from idempotency_keys`
  t.equal(kept?.['long'], true, 'whatever the configuration says')
  await owner`update idempotency_keys set expires_at = now()`
  t.match(await begin(db, person, 'k', randomUUID()), { state: 'started' })
})
