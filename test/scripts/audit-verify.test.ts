import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { migrate } from '../../db/migrate.ts'
import { openAuditedDatabase } from '../../scripts/audit/database.ts'
import { parseSeals } from '../../scripts/audit/kept-seals.ts'
import { reportChains } from '../../scripts/audit/report.ts'
import { ownerSql, serve } from '../support/actors.ts'
import { childEnv } from '../support/child-env.ts'
import { emptyFolder, usedFolder } from '../support/embedded.ts'
import { testDatabase } from '../support/postgres.ts'

const script = fileURLToPath(new URL('../../scripts/audit-verify.ts', import.meta.url))

type Run = { readonly code: number; readonly out: string; readonly err: string }

/** The command as an operator gives it. */
function verify(env: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const all = { ...childEnv, ...env }
    execFile(process.execPath, [script, ...options], { env: all }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

/** The same, without a process of its own. */
async function report(db: Database, seals = '') {
  const [lines, printed]: [string[], string[]] = [[], []]
  const isWhole = await reportChains(db, {
    kept: parseSeals(seals),
    say: (line) => lines.push(line),
    onSeal: (line) => printed.push(line),
  })
  return { isWhole, lines, seals: printed.join('\n') }
}

const monthsOf = (lines: readonly string[]) => lines.filter((line) => line.startsWith('audit_log_'))

test('an operator finds out whether the audit log is what it was', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const write = (first: number, last: number) => owner`
    insert into audit_log (table_name, record_id, operation, actor_role, changed_at)
    select 'x', n::text, 'UPDATE', 'x', now() - n * interval '12 hours' from generate_series(${first}::int, ${last}::int) as n`
  await write(0, 149)
  await serve(db, sql`select public.ensure_audit_partitions()`)
  await serve(db, sql`select public.seal_audit_log()`)
  await write(0, 0)
  const [months] = await owner<
    { count: number }[]
  >`select count(distinct audit_chain_of(changed_at))::int from audit_log`

  const whole = await verify({ DATABASE_URL: appUrl }, '--seal')
  t.equal(whole.code, 0, whole.err)
  t.match(whole.err, /^month +rows +unsealed +first broken\n/)
  t.equal(monthsOf(whole.err.split('\n')).length, months?.count)
  for (const line of monthsOf(whole.err.split('\n'))) t.match(line, /^audit_log_\d{4}_\d{2} +\d+ +[01]  -$/)
  t.equal(parseSeals(whole.out).length, months?.count, 'nothing else is printed where seals are kept')
  const kept = join(emptyFolder(t), 'seals.txt')
  await writeFile(kept, `# kept in March\n${whole.out}`)

  await serve(db, sql`select public.seal_audit_log()`)
  const later = await report(db, whole.out)
  t.ok(later.isWhole, 'the log goes on, and has what was kept')
  t.match(later.lines.at(-1), /kept seals are as they were$/)

  // As the owner of the database, who can switch guards off.
  const [victim] = await owner<{ id: string; part: string }[]>`
    select id, tableoid::regclass::text as part from audit_log where chain_position = 1 order by changed_at limit 1`
  const part = victim?.part ?? ''
  await owner.unsafe(`alter table ${part} disable trigger all; alter table audit_seals disable trigger all`).simple()
  await owner`update audit_log set reason = 'nothing happened' where id = ${victim?.id ?? ''}`
  const tampered = await verify({ DATABASE_DIRECT_URL: ownerUrl }, '--against', kept)
  t.equal(tampered.code, 1)
  const brokenOnes = monthsOf(tampered.out.split('\n')).filter((line) => / {2}[0-9a-f-]{36}$/.test(line))
  t.same(
    brokenOnes.map((line) => line.split(/ +/)).map(([month, , , row]) => [month, row]),
    [[part, victim?.id]],
    'the row is named, and no other month',
  )
  t.equal(parseSeals((await report(db)).seals).length, (months?.count ?? 0) - 1, 'no seal of what is broken')

  // Thoroughly: rows, hashes and seals alike.
  await owner`update audit_log set row_hash = null, chain_position = null where tableoid = ${part}::regclass`
  await owner`delete from audit_seals where chain = ${part}`
  await owner`select seal_audit_log()`
  t.ok((await report(db)).isWhole, 'a chain that was made anew holds in itself')
  const compared = await report(db, whole.out)
  t.notOk(compared.isWhole)
  t.match(compared.lines.at(-1), new RegExp(`^${part}: place \\d+ is not what was sealed there$`))
})

test('seals that were kept of a month hold after the month was dropped by its rule', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await owner`
    insert into audit_log (table_name, record_id, operation, actor_role, changed_at)
    select 'x', 'x', 'UPDATE', 'x', '2015-03-04' from generate_series(1, 3)`
  await serve(db, sql`select public.ensure_audit_partitions()`)
  await serve(db, sql`select public.seal_audit_log()`)
  const { seals: before } = await report(db)
  t.match(before, /^audit_log_2015_03 3 [0-9a-f]{64}$/)
  t.equal((await serve(db, sql`select public.drop_old_audit_partitions()`)).length, 1)
  const after = await report(db, before)
  t.ok(after.isWhole, after.lines.join('\n'))
  t.ok((await report(db, after.seals)).isWhole, 'and so does the one that closes it')
  const forged = before.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  t.notOk((await report(db, forged)).isWhole)
})

test('events that the log refused are told beside it', async (t) => {
  const { db } = await testDatabase(t)
  await serve(db, sql`select public.record_reads('[{"view": "diary"}]')`)
  t.match(await report(db), { isWhole: true, lines: [/^month/, /^1 events that the log refused/] })
})

test('what are no seals is refused before anything is read', async (t) => {
  const file = join(emptyFolder(t), 'seals.txt')
  await writeFile(file, 'audit_log_2026_01 none\n')
  const answer = await verify({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }, '--against', file)
  t.match(answer, { code: 1, err: /Not a seal as --seal prints them/ })
})

test('the embedded database is verified too, running or not', async (t) => {
  const dataDir = await usedFolder(t)
  const running = await startEmbedded({ dataDir, durability: 'disposable' })
  await migrate(running.urls.owner)
  for (const state of ['running', 'stopped']) {
    if (state === 'stopped') await running.close()
    const { db, close } = await openAuditedDatabase({ DATA_DIR: dataDir })
    t.ok((await report(db)).isWhole, state)
    await close()
  }
  await t.rejects(openAuditedDatabase({ DATA_DIR: emptyFolder(t) }), /No database: set DATABASE_DIRECT_URL/)
})
