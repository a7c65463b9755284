import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { ownerSql, refusal, serve } from '../support/actors.ts'
import { verifyChains } from '../support/audit-chains.ts'
import { testDatabase } from '../support/postgres.ts'

test('a month that nobody made a part for is kept, and gets its part', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const parts = () =>
    owner<{ name: string; rows: number }[]>`
      select tableoid::regclass::text as name, count(*)::int as rows from audit_log group by 1 order by 1`
  const write = (at: string) => owner`
    insert into audit_log (table_name, record_id, operation, actor_role, changed_at)
    values ('x', ${randomUUID()}, 'UPDATE', 'x', ${at}::timestamptz)`
  await write('2031-12-31T23:59:59.999999Z')
  await write('2032-01-01T00:00:00Z')
  await write('2019-05-05T00:00:00Z')
  t.same([...(await parts())], [{ name: 'audit_log_default', rows: 3 }])
  await serve(db, sql`select public.seal_audit_log(2)`)

  const [made] = await serve<{ count: number }>(db, sql`select public.ensure_audit_partitions(3) as count`)
  t.equal(made?.count, 3)
  t.same(
    [...(await parts())],
    [
      { name: 'audit_log_2019_05', rows: 1 },
      { name: 'audit_log_2031_12', rows: 1 },
      { name: 'audit_log_2032_01', rows: 1 },
    ],
  )
  await serve(db, sql`select public.seal_audit_log()`)
  t.same(
    (await verifyChains(owner)).map((row) => [row.partition, row.rows, row.unsealed, row.first_broken]),
    ['2019_05', '2031_12', '2032_01'].map((month) => [`audit_log_${month}`, 1, 0, null]),
    'chains go on through the move',
  )
  const [again] = await serve<{ count: number }>(db, sql`select public.ensure_audit_partitions() as count`)
  t.equal(again?.count, 0)

  const open = await owner`
    select relname from pg_class
    where relnamespace = 'public'::regnamespace and relispartition and relkind = 'r'
      and not (relrowsecurity and relforcerowsecurity)`
  t.same([...open], [], 'every part is protected by itself')
  t.equal(await refusal(serve(db, sql`select * from audit_log_2019_05`)), '42501', 'and cannot be read around the log')
  t.equal(await refusal(owner`truncate audit_log_2019_05`), '42501')
})

test('parts exist months ahead', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const ahead = async () => {
    const [row] = await owner`
      select count(*)::int as parts from pg_class
      where relname ~ '^audit_log_\\d{4}_\\d{2}$' and relkind = 'r'
        and relname >= 'audit_log_' || to_char(now() at time zone 'UTC', 'YYYY_MM')`
    return row?.['parts']
  }
  t.equal(await ahead(), 4, 'this month and three more')
  await serve(db, sql`select public.ensure_audit_partitions(14)`)
  t.equal(await ahead(), 15)
})
