import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import { test } from 'tap'
import { ownerSql, refusal, serve } from '../support/actors.ts'
import { verifyChains } from '../support/audit-chains.ts'
import { testDatabase } from '../support/postgres.ts'

const write = (owner: postgres.ISql, month: string, rows = 1) => owner`
  insert into audit_log (table_name, record_id, operation, actor_role, changed_at)
  select 'x', ${randomUUID()}, 'UPDATE', 'x', ${`${month}-15`}::date + make_interval(secs => n)
  from generate_series(1, ${rows}) as n`

/** A log with two months that are over for long, one that is not, and this one. */
async function oldLog(t: Parameters<typeof testDatabase>[0]) {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  for (const month of ['2011-03', '2012-05', '2025-01']) await write(owner, month, 3)
  const service = (call: string) => serve(db, sql.raw(`select public.${call} as value`))
  const seal = () => service('seal_audit_log()')
  const drop = async () => (await service('drop_old_audit_partitions()')).map((row) => row['value'])
  await service('ensure_audit_partitions()')
  return { db, owner, seal, drop, service }
}
const broken = async (owner: postgres.ISql) =>
  (await verifyChains(owner)).flatMap((row) => (row.first_broken === null ? [] : [row.partition]))

test('months of the log go when their years are over, and the rest still proves itself', async (t) => {
  const { owner, seal, drop, service } = await oldLog(t)
  t.same(await drop(), [], 'what is not sealed yet stays')
  await seal()
  const seals = await owner`select * from audit_seals order by chain, last_position`
  t.same(await drop(), ['audit_log_2011_03', 'audit_log_2012_05'])
  t.same(await drop(), [])
  t.equal((await owner`select 1 from audit_log where changed_at < '2020-01-01'`).length, 0)
  t.equal((await owner`select 1 from audit_log where changed_at < '2026-01-01'`).length, 3, 'younger months stay')
  t.same(await owner`select * from audit_seals where dropped_at is null order by chain, last_position`, seals)
  await seal()
  t.same(await broken(owner), [])
  t.same(
    (await verifyChains(owner)).filter((row) => row.rows === 0).map((row) => row.partition),
    ['audit_log_2011_03', 'audit_log_2012_05'],
    'dropped months are still named',
  )
  const told = await owner`
    select record_id, old_values -> 'rows' as rows from audit_log where table_name = 'audit_log' and operation = 'DELETE' order by 1`
  t.same(
    [...told],
    [
      { record_id: 'audit_log_2011_03', rows: 3 },
      { record_id: 'audit_log_2012_05', rows: 3 },
    ],
    'the log says so itself',
  )
  await service('ensure_audit_partitions()')
  t.same(await broken(owner), [])
})

test('a rule of other years is followed, and none drops nothing', async (t) => {
  const { owner, seal, drop } = await oldLog(t)
  await seal()
  await owner`update retention_rules set keep_days = null where table_name = 'audit_log'`
  t.same(await drop(), [])
  const [days] = await owner`select (now()::date - '2012-01-01'::date) as days`
  await owner`update retention_rules set keep_days = ${days?.['days']} where table_name = 'audit_log'`
  t.same(await drop(), ['audit_log_2011_03'])
})

test('a month that does not hold is not dropped: that would be the end of the evidence', async (t) => {
  const { owner, seal, drop } = await oldLog(t)
  await seal()
  await owner.begin(async (tx) => {
    await tx.unsafe(`alter table audit_log_2011_03 disable trigger all`)
    await tx`update audit_log set reason = 'forged' where changed_at < '2011-03-15 00:00:02+00'`
    await tx.unsafe(`alter table audit_log_2011_03 enable trigger all`)
  })
  t.same(await broken(owner), ['audit_log_2011_03'])
  t.same(await drop(), ['audit_log_2012_05'])
})

test('a month that was taken away is not taken for one that was dropped', async (t) => {
  const { owner, seal, drop } = await oldLog(t)
  await seal()
  const undo = new Error('undo')
  const attack = async (name: string, work: (tx: postgres.TransactionSql) => Promise<unknown>, found: string[]) => {
    const attempt = owner.begin(async (tx) => {
      await tx.unsafe(`alter table audit_seals disable trigger all`)
      await work(tx)
      t.same(await broken(tx), found, name)
      throw undo
    })
    await t.rejects(attempt, undo)
  }
  await attack('a dropped table', (tx) => tx.unsafe('drop table audit_log_2011_03'), ['audit_log_2011_03'])
  await attack(
    'a dropped table and a closing seal of nobody',
    async (tx) => {
      await tx.unsafe('drop table audit_log_2011_03')
      await tx`insert into audit_seals (chain, last_position, last_row_id, last_hash, dropped_at)
        values ('audit_log_2011_03', 4, ${randomUUID()}, '\\x00', now())`
    },
    ['audit_log_2011_03'],
  )
  await drop()
  await seal()
  t.same(await broken(owner), [])
  await attack(
    'a closing seal removed',
    (tx) => tx`delete from audit_seals where chain = 'audit_log_2011_03' and dropped_at is not null`,
    ['audit_log_2011_03'],
  )
  await attack(
    'another time of dropping',
    (tx) =>
      tx`update audit_seals set dropped_at = dropped_at - interval '1 day' where chain = 'audit_log_2012_05' and dropped_at is not null`,
    ['audit_log_2012_05'],
  )
  await attack('a row that came back', (tx) => write(tx, '2012-05'), ['audit_log_2012_05'])
})

test('nobody but the service drops anything, and a long transaction is not waited for', async (t) => {
  const { db, owner, seal, drop } = await oldLog(t)
  await seal()
  await owner.begin(async (tx) => {
    await tx`select log_audit_event('x', 'long', 'UPDATE')`
    t.equal(await refusal(drop()), '55P03')
    await serve(db, sql`select public.log_audit_event('x', 'another', 'UPDATE')`)
  })
  t.equal((await drop()).length, 2)
})
