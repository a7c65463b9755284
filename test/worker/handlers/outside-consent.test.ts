import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import sharp from 'sharp'
import { test } from 'tap'
import { asService } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { listPages } from '../../../db/queries/pages.ts'
import { visionLimit } from '../../../worker/config.ts'
import type { AiProvider } from '../../../worker/providers/ai/provider.ts'
import { createOpenAi } from '../../../worker/providers/ai/openai.ts'
import { createGoogleVision } from '../../../worker/providers/ocr/google-vision.ts'
import type { OcrBatches, OcrProvider } from '../../../worker/providers/ocr/provider.ts'
import { ask, serve, signUp } from '../../support/actors.ts'
import { startAiServer } from '../../support/ai-server.ts'
import type { AiServer } from '../../support/ai-server.ts'
import { decide } from '../../support/consents.ts'
import { fileState } from '../../support/files.ts'
import { testDatabase } from '../../support/postgres.ts'
import type { Teardown } from '../../support/postgres.ts'
import { stageRunner } from '../../support/stage-runner.ts'
import { madeResponse, word } from '../../support/vision-answer.ts'
import { startVisionServer } from '../../support/vision-server.ts'

const document = (name: string) => fileURLToPath(new URL(`../../fixtures/documents/${name}`, import.meta.url))
const stopped = { status: 'failed', processing_error: { code: 'processing_stopped' } }

test('without consent for the outside reader no picture leaves the machine, and our own reads', async (t) => {
  const { db } = await testDatabase(t)
  const vision = await startVision(t)
  const runner = await stageRunner(t, db, { ocr: ourOwnReader, outsideOcr: vision })
  const person = await signUp(db, 'me')
  await decide(db, person, 'withdrawn', { purpose: 'outside_ocr' })
  const file = await runner.upload(person, await twoPages(t), { mimeType: 'image/tiff' })
  await runner.runOne()
  t.match(await runner.runOne(), { type: 'ocr', settled: 'completed' })

  t.same(vision.requests, [])
  t.match(await pagesOf(db, file), [{ engine: 'our own 1' }, { engine: 'our own 1' }])
  t.equal(await resultOf(db, 'ocr', 'outside_ocr'), 'no_consent')
})

test('consent withdrawn between two pages: the second never leaves, and the first is not read again', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db, 'me')
  const vision = await startVision(t)
  const { batches } = vision.provider
  if (batches === undefined) throw new Error('pictures go one by one')
  const recognise: OcrBatches['recognise'] = async (...pictures) => {
    const read = await batches.recognise(...pictures)
    await decide(db, person, 'withdrawn', { purpose: 'outside_ocr' })
    return read
  }
  const provider = { ...vision.provider, picturesAtOnce: 1, batches: { ...batches, maxPictures: 1, recognise } }
  const runner = await stageRunner(t, db, { ocr: ourOwnReader, outsideOcr: { ...vision, provider } })
  const file = await runner.upload(person, await twoPages(t), { mimeType: 'image/tiff' })
  await runner.runOne()

  t.match(await runner.runOne(), { type: 'ocr', settled: 'snoozed' })
  t.match(await runner.runOne(), { type: 'ocr', settled: 'completed' })
  t.equal(vision.requests.length, 1)
  t.match(await pagesOf(db, file), [{ engine: 'google-vision v1' }, { engine: 'our own 1' }])
  const [job] = await serve(db, sql`select retry_count from job_queue where job_type = 'ocr'`)
  t.equal(job?.['retry_count'], 0, 'no retry is spent')
})

test('without consent for the model no text leaves the machine, and the rules work alone', async (t) => {
  const { db } = await testDatabase(t)
  const far = await startAiServer(t)
  const ai = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  const runner = await stageRunner(t, db, { ai })
  const person = await signUp(db, 'me')
  await decide(db, person, 'denied', { purpose: 'outside_ai' })
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  t.equal((await runner.runAll()).length, 6)

  t.same(far.asked, [])
  t.match(await fileState(db, file), { status: 'completed' })
  const seen = await ask(db, person.actor, sql`select provider from semantic_processing_sessions`)
  t.same(seen, [{ provider: 'local' }], 'its reader sees who has read it')
  t.equal(await resultOf(db, 'pass1_find', 'outside_ai'), 'no_consent')
})

test('consent withdrawn between two questions: the second is never asked', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db, 'me')
  const far = await startAiServer(t)
  const withdraw = () => decide(db, person, 'withdrawn', { purpose: 'outside_ai' })
  const runner = await stageRunner(t, db, { ai: modelAfterWhich(far, withdraw) })
  await runner.upload(person, document('lab-report-au.pdf'))
  for (let stage = 0; stage < 3; stage += 1) await runner.runOne()

  t.match(await runner.runOne(), { type: 'pass1_find', settled: 'snoozed' })
  t.match(await runner.runOne(), { type: 'pass1_find', settled: 'completed' })
  t.equal(far.asked.length, 1)
  t.same(await serve(db, sql`select provider from semantic_processing_sessions`), [{ provider: 'local' }])
  t.equal(await resultOf(db, 'pass1_find', 'outside_ai'), 'no_consent')
})

test('processing withdrawn between two questions: the second is never asked, and the first is in vain', async (t) => {
  const { db } = await testDatabase(t)
  const person = await signUp(db, 'me')
  const far = await startAiServer(t)
  const runner = await stageRunner(t, db, { ai: modelAfterWhich(far, () => decide(db, person, 'withdrawn')) })
  const file = await runner.upload(person, document('lab-report-au.pdf'))
  for (let stage = 0; stage < 3; stage += 1) await runner.runOne()

  t.match(await runner.runOne(), { type: 'pass1_find', settled: 'lost' })
  t.equal(await runner.runOne(), null)
  t.equal(far.asked.length, 1)
  t.match(await fileState(db, file), { ...stopped, processing_error: { stage: 'pass1_find' } })
  t.same(await serve(db, sql`select provider from semantic_processing_sessions`), [])
})

/** Its first answer is in a wrong form, so that the same is asked again; between the two, something happens. */
function modelAfterWhich(far: AiServer, happens: () => Promise<unknown>): AiProvider {
  far.answersWith({ kind: 'malformed', content: 'no JSON' }, { kind: 'facts', facts: [] })
  const model = createOpenAi({ apiKey: 'k', baseUrl: far.url, model: 'gpt-4o-mini' })
  return {
    ...model,
    find: async (...question) => {
      try {
        return await model.find(...question)
      } finally {
        await happens()
      }
    },
  }
}

const ourOwnReader: OcrProvider = {
  name: 'our own',
  version: '1',
  recognise: () => Promise.resolve({ words: linesOfWords, confidence01: 0.97 }),
  close: () => Promise.resolve(),
}

const linesOfWords = ['Immunisation', 'record', 'of', 'somebody'].map((text, n) => ({
  text,
  confidence01: 0.97,
  box: [100, 100 + 50 * n, 400, 140 + 50 * n] as const,
  line: n,
  block: 0,
}))

async function startVision(t: Teardown) {
  const server = await startVisionServer()
  const endpoint = { host: '127.0.0.1', port: server.port, protocol: 'http' } as const
  const provider = createGoogleVision({ apiKey: 'a-key', endpoint })
  t.teardown(async () => {
    await provider.close()
    await server.close()
  })
  const words = linesOfWords.map(({ text, box }) => word(text, box, 'LINE_BREAK'))
  server.answer = { kind: 'each', response: madeResponse([[words]]) }
  return { provider, limit: visionLimit, requests: server.requests }
}

/** Two pages with a bar of ink each; what they say is up to whoever reads them. */
async function twoPages(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'exora-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const bar = { create: { width: 300, height: 20, channels: 3, background: 'black' } } as const
  const page = await sharp({ create: { width: 600, height: 800, channels: 3, background: 'white' } })
    .composite([{ input: bar, left: 100, top: 100 }])
    .png()
    .toBuffer()
  const path = join(folder, 'pages.tif')
  await sharp([page, page], { join: { animated: true } })
    .tiff()
    .toFile(path)
  return path
}

const pagesOf = (db: Database, file: string) => asService(db, {}, (tx) => listPages(tx, file))

async function resultOf(db: Database, stage: string, key: string): Promise<unknown> {
  const [row] = await serve(db, sql`select job_result ->> ${key} as told from job_queue where job_type = ${stage}`)
  return row?.['told']
}
