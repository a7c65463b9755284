import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { z } from 'zod'
import { asActor } from '../../db/actor.ts'
import { ownerSql, signUp } from '../support/actors.ts'
import { testDatabase } from '../support/postgres.ts'

const explained = z.tuple([
  z.object({
    'QUERY PLAN': z.tuple([
      z.object({ Plan: z.object({ 'Shared Hit Blocks': z.number(), 'Shared Read Blocks': z.number() }) }),
    ]),
  }),
])

test('a page of the audit costs the same however long the log is, of one person and of all', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const [person, operator] = [await signUp(db), await signUp(db)]
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  await owner`
    insert into audit_log (table_name, record_id, operation, actor_role, patient_id, changed_at)
    select 'shell_files', n::text, 'SELECT', 'authenticated', case when n % 5000 = 0 then ${person.profileId}::uuid else public.uuid_v7() end,
      now() - n * interval '1 second'
    from generate_series(1, 100000) as n`
  await owner`analyze audit_log`
  const blocksOf = async (call: string) => {
    const rows = await asActor(db, operator.actor, (tx) =>
      tx.execute(sql.raw(`explain (analyze, buffers, format json) select * from public.${call}`)),
    )
    const [{ 'QUERY PLAN': plans }] = explained.parse([...rows])
    return plans[0].Plan['Shared Hit Blocks'] + plans[0].Plan['Shared Read Blocks']
  }
  const later = `now() - interval '12 hours', public.uuid_v7(), 50`
  await blocksOf('operator_audit_events()')
  // The plans of a function may become general ones at the sixth call.
  for (let call = 1; call <= 7; call += 1) {
    for (const which of [
      'operator_audit_events()',
      `operator_audit_events(null, ${later})`,
      `operator_audit_events('${person.profileId}')`,
    ]) {
      const blocks = await blocksOf(which)
      t.ok(blocks < 300, `${which}: ${blocks} blocks`)
    }
  }
})
