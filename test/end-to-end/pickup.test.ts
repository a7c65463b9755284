import t from 'tap'
import type postgres from 'postgres'
import { z } from 'zod'
import { pdfOfLines } from '../support/pdf.ts'
import type { Running } from '../support/system.ts'
import { openSystem } from '../support/system.ts'

const letter = pdfOfLines([[{ text: 'Haemoglobin 131 g/L', x: 72, y: 700 }]])
const robin = { name: 'Robin Marsh', bornOn: '1961-02-03' }

t.setTimeout(280_000)

void t.test('a worker hears of an upload when it is committed, and does not wait for its next look', async (test) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(test)
  // The next look is 30 s away at the soonest, longer than this test may take.
  const [server, worker] = await Promise.all([startServer(), startWorker({ WORKER_POLL_MS: '60000' })])
  const person = await introduce(server, robin)
  const before = await claimsOf(worker)
  const id = await person.giveBytes({ bytes: letter })
  const told = await person.follow(id)
  test.equal(told.at(-1)?.file_status, 'completed')

  const claims = await claimsOf(worker)
  test.equal(claims.get('poll'), before.get('poll'), 'no look led to anything')
  test.ok((claims.get('notification') ?? 0) > 0)
  const waits = await pickupsOf(sql, id)
  test.equal(waits.length, 6)
  test.ok(Math.max(...waits) < 5_000, 'even on a busy machine')
  test.comment(`picked up after ${waits.map((wait) => `${wait.toFixed(0)} ms`).join(', ')}`)
})

void t.test('a worker that no notification reaches finds the upload by looking', async (test) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(test)
  await sql`alter table job_queue disable trigger job_queue_notify`
  const [server, worker] = await Promise.all([startServer(), startWorker({ WORKER_POLL_MS: '100' })])
  const person = await introduce(server, robin)
  const told = await person.follow(await person.giveBytes({ bytes: letter }))
  test.equal(told.at(-1)?.file_status, 'completed')
  const claims = await claimsOf(worker)
  test.ok((claims.get('poll') ?? 0) > 0)
  test.equal(claims.get('notification') ?? 0, 0)
})

/** How often a worker has claimed, by what led to it. */
async function claimsOf(worker: Running): Promise<ReadonlyMap<string, number>> {
  const metrics = await (await fetch(`${worker.address}/metrics`)).text()
  const counted = metrics.matchAll(/^exora_claims_total\{[^}]*reason="(\w+)"[^}]*\} (\d+)$/gm)
  return new Map([...counted].map(([, reason = '', count]) => [reason, Number(count)]))
}

async function pickupsOf(sql: postgres.Sql, documentId: string): Promise<number[]> {
  const rows = await sql`
    select extract(epoch from started_at - created_at) * 1000 as ms
    from job_queue where shell_file_id = ${documentId} order by id`
  return rows.map((row) => z.coerce.number().parse(row['ms']))
}
