import { test } from 'tap'
import { claimJobs, completeJobs } from '../../../db/queries/claims.ts'
import type { ClaimedRow, ClaimStart } from '../../../db/queries/claims.ts'
import { createClaimStarts } from '../../../worker/engine/claim-start.ts'
import { claimedJob } from '../../support/claimed-job.ts'
import { testDatabase } from '../../support/postgres.ts'
import { enqueueJob, serviceSql } from '../../support/queue.ts'

const jobAt = (fairTurn: number, dueAtMs: number, priority = 5) => claimedJob({ fairTurn, dueAtMs, priority })

test('claims look at everything until that has twice been slow, and then once a second', async (t) => {
  let now = 0
  const starts = createClaimStarts(['fast_queue'], () => now)
  starts.note(null, [jobAt(3, 60_000)], 200)
  t.equal(starts.next(), null, 'once may be chance')
  starts.note(null, [jobAt(4, 61_000), jobAt(0, 70_000, 9)], 200)
  const places = starts.next() ?? []
  t.equal(places.length, 10, 'one for each priority')
  t.same(
    places.find(({ priority }) => priority === 5),
    { lane: 'fast_queue', priority: 5, turn: 4, dueAtMs: 56_000 },
  )
  t.same(
    places.find(({ priority }) => priority === 9),
    { lane: 'fast_queue', priority: 9, turn: 0, dueAtMs: 65_000 },
  )
  t.same(
    places.find(({ priority }) => priority === 1),
    { lane: 'fast_queue', priority: 1, turn: 0, dueAtMs: 0 },
  )
  now += 1_000
  t.equal(starts.next(), null)
  starts.note(null, [], 1)
  t.equal(starts.next(), null, 'it is over')
})

test('while somebody keeps an old snapshot, a claim that begins where the last one ended does not get dearer', async (t) => {
  const { appUrl } = await testDatabase(t)
  const sql = serviceSql(t, appUrl)
  const request = { workerId: 'w1', types: ['ocr'], lanes: ['fast_queue'], leaseMs: 60_000 } as const
  const over = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const reader = sql.begin('isolation level repeatable read read only', async (tx) => {
    await tx`select count(*) from public.job_queue`
    held.resolve()
    await over.promise
  })
  await held.promise
  let last: readonly ClaimedRow[] = []
  for (let round = 0; round < 10; round += 1) {
    // As if they had come over minutes.
    await sql`
      insert into public.job_queue (job_type, job_lane, job_name, job_payload, scheduled_at)
      select 'ocr', 'fast_queue', 'ocr', '{}', now() - make_interval(secs => 60 * ${10 - round})
      from generate_series(1, 500)`
    last = await claimJobs(sql, { ...request, max: 500, start: null })
    await completeJobs(sql, 'w1', last)
  }
  const urgent = await enqueueJob(sql, { priority: 10 })
  const usual = await enqueueJob(sql)
  const starts = createClaimStarts(['fast_queue'])
  for (const tookMs of [1_000, 1_000]) starts.note(null, last, tookMs)
  const places = starts.next() ?? []

  const fromBeginning = await walkedBy(sql, null)
  const fromPlaces = await walkedBy(sql, places)
  t.ok(fromBeginning >= 5_000, `${fromBeginning} entries, of all that was claimed since`)
  t.ok(fromPlaces < 1_000, `${fromPlaces} entries from where the last claim ended`)
  const found = await claimJobs(sql, { ...request, max: 10, start: places })
  t.same(
    found.map((job) => job.id),
    [urgent, usual],
    'nothing that came since is missed, the most urgent least of all',
  )
  over.resolve()
  await reader
})

/** How many entries of the index a claim walks past; the claim is undone. */
async function walkedBy(sql: ReturnType<typeof serviceSql>, start: readonly ClaimStart[] | null): Promise<number> {
  let walked = 0
  const undo = new Error('undo')
  await sql
    .begin(async (tx) => {
      const read = async () => {
        const [row] = await tx`
          select pg_stat_get_xact_tuples_returned('public.job_queue_claim_idx'::regclass)::int as entries`
        return Number(row?.['entries'])
      }
      const before = await read()
      await claimJobs(tx, { workerId: 'w1', types: ['ocr'], lanes: ['fast_queue'], leaseMs: 60_000, max: 2, start })
      walked = (await read()) - before
      throw undo
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error
    })
  return walked
}
