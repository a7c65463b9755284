import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ownerSql, refusal, serve, signUp } from '../support/actors.ts'
import { verifyChains } from '../support/audit-chains.ts'
import { testDatabase } from '../support/postgres.ts'

test('audit rows are not changed, removed or forged, not even by services or the owner', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await signUp(db)
  const [part] = await owner<{ name: string }[]>`select tableoid::regclass::text as name from audit_log limit 1`
  for (const table of ['audit_log', part?.name ?? '', 'audit_seals']) {
    const column = table === 'audit_seals' ? 'chain' : 'reason'
    for (const verb of [`update ${table} set ${column} = 'x'`, `delete from ${table}`, `truncate ${table}`])
      t.equal(await refusal(serve(db, sql.raw(verb))), '42501', `service: ${verb}`)
  }
  await serve(db, sql`select public.seal_audit_log()`)
  const guarded = [
    `update audit_log set reason = 'x'`,
    `update audit_log set row_hash = null, chain_position = null`,
    `delete from audit_log`,
    `truncate audit_log`,
    `truncate ${part?.name}`,
    `delete from ${part?.name}`,
    `update audit_seals set last_hash = ''`,
    `delete from audit_seals`,
  ]
  for (const verb of guarded) t.equal(await refusal(owner.unsafe(verb)), '42501', `owner: ${verb}`)
  const forged = sql`insert into audit_log (table_name, record_id, operation, actor_role) values ('x', 'x', 'INSERT', 'x')`
  t.equal(await refusal(serve(db, forged)), '42501')
})

test('tampering is found, whatever was done and whoever did it', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  for (let i = 0; i < 6; i += 1) await signUp(db)
  await serve(db, sql`select public.seal_audit_log(4)`)
  await serve(db, sql`select public.seal_audit_log()`)
  const [whole] = await verifyChains(owner)
  t.match(whole, { rows: 6, unsealed: 0, first_broken: null })
  const rows = await owner<{ id: string }[]>`select id from audit_log order by chain_position`
  const part = whole?.partition ?? ''
  const at = (position: number) => rows[position - 1]?.id ?? ''

  const attacks: readonly (readonly [string, string, string | null])[] = [
    ['an altered value', `update ${part} set changed_by = null, reason = 'x' where id = '${at(3)}'`, at(3)],
    ['an altered time', `update ${part} set changed_at = changed_at + interval '1 us' where id = '${at(2)}'`, at(2)],
    ['a removed row', `delete from ${part} where id = '${at(3)}'`, at(4)],
    ['the last row removed', `delete from ${part} where id = '${at(6)}'`, at(6)],
    ['the first row removed', `delete from ${part} where id = '${at(1)}'`, at(2)],
    ['everything removed', `delete from ${part}`, at(6)],
    [
      'two rows exchanged',
      `update ${part} set chain_position = 5 - chain_position where id in ('${at(2)}', '${at(3)}')`,
      at(3),
    ],
    [
      'a row slipped in',
      `insert into ${part} (id, table_name, record_id, operation, actor_role, chain_position, row_hash)
       values ('ffffffff-0000-7000-8000-000000000000', 'x', 'x', 'INSERT', 'x', 4, '\\x00')`,
      'ffffffff-0000-7000-8000-000000000000',
    ],
    ['a hash taken off', `update ${part} set row_hash = null where id = '${at(5)}'`, at(5)],
    ['a place taken off', `update ${part} set row_hash = null, chain_position = null where id = '${at(5)}'`, at(6)],
    ['a forged seal', `update audit_seals set last_hash = '\\x00' where last_position = 6`, at(6)],
  ]
  const undo = new Error('undo')
  for (const [name, attack, broken] of attacks) {
    const attempt = owner.begin(async (tx) => {
      await tx.unsafe(`alter table ${part} disable trigger all; alter table audit_seals disable trigger all`).simple()
      await tx.unsafe(attack)
      t.equal((await verifyChains(tx))[0]?.first_broken, broken, name)
      throw undo
    })
    await t.rejects(attempt, undo)
  }
  t.equal((await verifyChains(owner))[0]?.first_broken, null, 'and nothing else is taken for it')
})

test('writers do not wait for each other or for the sealer, and late rows are sealed late', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const [slow, quick] = [ownerSql(t, ownerUrl), ownerSql(t, ownerUrl)]
  const committed = await slow.begin(async (tx) => {
    await tx`select log_audit_event('x', 'slow', 'UPDATE')`
    await tx`set local lock_timeout = '2s'`
    await quick`select log_audit_event('x', 'quick', 'UPDATE')`
    const [sealed] = await quick`select seal_audit_log() as count`
    return sealed?.['count']
  })
  t.equal(committed, 1, 'the row that is not committed yet is left for the next time')
  await Promise.all([serve(db, sql`select public.seal_audit_log()`), serve(db, sql`select public.seal_audit_log()`)])
  const rows = await quick`select record_id, chain_position::int from audit_log order by chain_position`
  t.same(
    [...rows],
    [
      { record_id: 'quick', chain_position: 1 },
      { record_id: 'slow', chain_position: 2 },
    ],
  )
  t.same(
    (await verifyChains(quick)).map((row) => [row.rows, row.unsealed, row.first_broken]),
    [[2, 0, null]],
  )
})

test('sealers at the same time seal each row once', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`select log_audit_event('x', n::text, 'UPDATE') from generate_series(1, 400) as n`
  const rounds = await Promise.all(
    Array.from({ length: 4 }, () => serve<{ count: number }>(db, sql`select public.seal_audit_log() as count`)),
  )
  t.equal(
    rounds.flat().reduce((sum, row) => sum + row.count, 0),
    400,
  )
  t.same(
    (await verifyChains(owner)).map((row) => [row.rows, row.unsealed, row.first_broken]),
    [[400, 0, null]],
  )
})

test('verifying does not depend on the reader’s time zone or formats', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await signUp(db)
  await serve(db, sql`select public.seal_audit_log()`)
  await owner.begin(async (tx) => {
    await tx`select set_config('TimeZone', 'Asia/Kathmandu', true), set_config('DateStyle', 'German', true),
      set_config('extra_float_digits', '-5', true), set_config('bytea_output', 'escape', true)`
    t.equal((await verifyChains(tx))[0]?.first_broken, null)
  })
})
