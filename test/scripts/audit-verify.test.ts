import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { startEmbedded } from '../../db/embedded/start.ts'
import { migrate } from '../../db/migrate.ts'
import { parseSeals } from '../../scripts/audit/kept-seals.ts'
import { ownerSql, serve, signUp } from '../support/actors.ts'
import { emptyFolder, usedFolder } from '../support/embedded.ts'
import { testDatabase } from '../support/postgres.ts'

const script = fileURLToPath(new URL('../../scripts/audit-verify.ts', import.meta.url))

type Run = { readonly code: number; readonly out: string; readonly err: string }

/** The command as an operator gives it. */
function verify(env: Readonly<Record<string, string>>, ...options: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const all = { PATH: process.env['PATH'] ?? '', ...env }
    execFile(process.execPath, [script, ...options], { env: all }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

test('an operator finds out whether the audit log is what it was', async (t) => {
  const { db, appUrl, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const folder = emptyFolder(t)
  const server = { DATABASE_URL: appUrl }
  await owner`
    insert into audit_log (table_name, record_id, operation, actor_role, changed_at)
    select 'x', n::text, 'UPDATE', 'x', now() - n * interval '12 hours' from generate_series(0, 99) as n`
  await serve(db, sql`select public.ensure_audit_partitions()`)
  await serve(db, sql`select public.seal_audit_log()`)
  await signUp(db)
  const [months] = await owner<
    { count: number }[]
  >`select count(distinct audit_chain_of(changed_at))::int from audit_log`
  const rowsOf = (out: string) => out.split('\n').filter((line) => line.startsWith('audit_log_'))

  const whole = await verify(server)
  t.equal(whole.code, 0, whole.err)
  t.equal(rowsOf(whole.out).length, months?.count)
  t.match(whole.out, /^month +rows +unsealed +first broken\n/)
  for (const line of rowsOf(whole.out)) t.match(line, /^audit_log_\d{4}_\d{2} +\d+ +[01]  -$/)
  t.same(await verify({ DATABASE_DIRECT_URL: ownerUrl }), whole, 'whoever asks')

  const kept = join(folder, 'seals.txt')
  const sealing = await verify(server, '--seal')
  t.equal(sealing.code, 0)
  t.equal(parseSeals(sealing.out).length, months?.count, 'nothing else is printed where seals are kept')
  await writeFile(kept, `# kept in March\n${sealing.out}`)
  await serve(db, sql`select public.seal_audit_log()`)
  t.match(await verify(server, '--against', kept), { code: 0, out: /kept seals are as they were/ }, 'the log goes on')

  // As the owner of the database, who can switch guards off.
  const [victim] = await owner<{ id: string; part: string }[]>`
    select id, tableoid::regclass::text as part from audit_log where chain_position = 1 order by changed_at limit 1`
  const part = victim?.part ?? ''
  await owner.unsafe(`alter table ${part} disable trigger all; alter table audit_seals disable trigger all`).simple()
  await owner`update audit_log set reason = 'nothing happened' where id = ${victim?.id ?? ''}`
  const tampered = await verify(server)
  t.equal(tampered.code, 1)
  t.same(
    rowsOf(tampered.out)
      .filter((line) => !line.endsWith(' -'))
      .map((line) => line.split(/ +/).at(-1)),
    [victim?.id],
    'the row is named, and no other month',
  )
  t.equal(
    parseSeals((await verify(server, '--seal')).out).length,
    (months?.count ?? 0) - 1,
    'no seal of what is broken',
  )

  // Thoroughly: rows, hashes and seals alike.
  await owner`update audit_log set row_hash = null, chain_position = null where tableoid = ${part}::regclass`
  await owner`delete from audit_seals where chain = ${part}`
  await owner`select seal_audit_log()`
  t.equal((await verify(server)).code, 0, 'a chain that was made anew holds in itself')
  const compared = await verify(server, '--against', kept)
  t.equal(compared.code, 1)
  t.match(compared.out, new RegExp(`^${part}: place \\d+ is not what was sealed there$`, 'm'))

  await writeFile(kept, 'audit_log_2026_01 none\n')
  t.match(await verify(server, '--against', kept), { code: 1, err: /Not a seal as --seal prints them/ })
})

test('events that the log refused are told beside it', async (t) => {
  const { db, appUrl } = await testDatabase(t)
  await serve(db, sql`select public.record_reads('[{"view": "diary"}]')`)
  t.match(await verify({ DATABASE_URL: appUrl }), { code: 0, out: /^1 events that the log refused/m })
})

test('the embedded database is verified too, running or not', async (t) => {
  const dataDir = await usedFolder(t)
  const running = await startEmbedded({ dataDir, durability: 'disposable' })
  await migrate(running.urls.owner)
  t.match(await verify({ DATA_DIR: dataDir }), { code: 0, out: /^month/ })
  await running.close()
  t.match(await verify({ DATA_DIR: dataDir }), { code: 0, out: /^month/ })
  t.match(await verify({ DATA_DIR: emptyFolder(t) }), { code: 1, err: /No database: set DATABASE_DIRECT_URL/ })
})
