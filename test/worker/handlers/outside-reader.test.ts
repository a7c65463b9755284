import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { listPages } from '../../../db/queries/pages.ts'
import { visionLimit } from '../../../worker/config.ts'
import { createGoogleVision } from '../../../worker/providers/ocr/google-vision.ts'
import { signUp } from '../../support/actors.ts'
import { testDatabase } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'
import { madeResponse, word } from '../../support/vision-answer.ts'
import { startVisionServer, visionFailure } from '../../support/vision-server.ts'

const scan = fileURLToPath(new URL('../../fixtures/documents/immunisation-record-scan.jpg', import.meta.url))

test('a busy outside reader makes the whole fleet wait, no retry is spent, and then its words are taken', async (t) => {
  const { db } = await testDatabase(t)
  const vision = await startVisionServer()
  const ocr = createGoogleVision({
    apiKey: 'a-key',
    endpoint: { host: '127.0.0.1', port: vision.port, protocol: 'http' },
  })
  t.teardown(async () => {
    await ocr.close()
    await vision.close()
  })
  const runner = await stageRunner(t, db, { outsideOcr: { provider: ocr, limit: visionLimit } })
  const person = await signUp(db, 'me')
  const file = await runner.upload(person, scan, { mimeType: 'image/jpeg' })
  t.equal((await runner.runOne())?.type, 'security_scan')

  vision.answer = visionFailure(429, 'RESOURCE_EXHAUSTED', { headers: { 'retry-after': '30' } })
  t.equal((await runner.runOne())?.type, 'ocr')
  t.match(await limitOf(db), { is_blocked: true, in_use: 0 })
  t.match(await ocrJobOf(db, file), { status: 'pending', retry_count: 0, defer_count: 1, is_later: true })

  vision.answer = {
    kind: 'each',
    response: madeResponse([[[word('Immunisation', [100, 100, 400, 140], 'LINE_BREAK')]]]),
  }
  await asService(db, {}, async (tx) => {
    await tx.execute(sql`update public.api_rate_limits set blocked_until = null`)
    await tx.execute(sql`update public.job_queue set scheduled_at = now() where status = 'pending'`)
  })
  t.equal((await runner.runOne())?.type, 'ocr')
  const [page] = await asService(db, {}, (tx) => listPages(tx, file))
  t.match(page, { source: 'ocr', engine: 'google-vision v1', wordCount: 1 })
  t.match(await limitOf(db), { is_blocked: false, in_use: 0 })
})

async function limitOf(db: Database) {
  const [row] = await asService(db, {}, (tx) =>
    tx.execute(sql`
      select coalesce(rate.blocked_until > now(), false) as is_blocked,
        (select count(*)::int from public.api_capacity_reservations as held
          where held.rate_limit_id = rate.id and held.released_at is null) as in_use
      from public.api_rate_limits as rate
      where rate.provider_name = ${visionLimit.provider} and rate.api_endpoint = ${visionLimit.endpoint}`),
  )
  return row
}

async function ocrJobOf(db: Database, file: string) {
  const [row] = await asService(db, {}, (tx) =>
    tx.execute(sql`
      select status, retry_count, defer_count, scheduled_at > now() as is_later
      from public.job_queue where shell_file_id = ${file} and job_type = 'ocr'`),
  )
  return row
}
