import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import sharp from 'sharp'
import { test } from 'tap'
import { asService } from '../../db/actor.ts'
import { savePage } from '../../db/queries/pages.ts'
import { saveText } from '../../db/queries/texts.ts'
import { renderPage } from '../../platform/rendering/render-page.ts'
import { documentSchema, factListSchema, wordListSchema } from '../../server/routes/documents/schema.ts'
import { serve } from '../support/actors.ts'
import { startApp } from '../support/app.ts'
import type { TestAccount, TestApp } from '../support/app.ts'
import { completeStages, fillRecord } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

const uploaded = async (who: TestAccount, word: string) =>
  String((await who.upload({ bytes: pdf(word) })).body['shell_file_id'])

test('documents', async (group) => {
  const server = await startApp(group, { renderPage })
  const { db, account } = server

  await group.test('are listed newest first, page by page, each once', async (t) => {
    const parent = await account(randomUUID())
    const ids: string[] = []
    for (let n = 0; n < 5; n += 1) ids.unshift(await uploaded(parent, `list ${n}`))

    const seen: unknown[] = []
    let cursor: string | null = ''
    let pages = 0
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { body, status } = await parent.get(`/documents?patient_id=${parent.profileId}&limit=2${query}`)
      t.equal(status, 200)
      const documents = body['documents']
      if (!Array.isArray(documents)) throw new Error('no list')
      seen.push(...documents.map((document: { id: string }) => document.id))
      cursor = typeof body['next_cursor'] === 'string' ? body['next_cursor'] : null
      pages += 1
    }
    t.same(seen, ids)
    t.equal(pages, 3)
  })

  await group.test('a cursor or a limit that is not ours is refused', async (t) => {
    const parent = await account(randomUUID())
    const bad = [
      'cursor=abc',
      `cursor=${Buffer.from('{"createdAt":"now()","id":1}').toString('base64url')}`,
      'limit=0',
      'limit=201',
      'limit=x',
    ]
    for (const query of bad) {
      const answer = await parent.get(`/documents?patient_id=${parent.profileId}&${query}`)
      t.match(answer, { status: 400, body: { code: 'invalid_request' } }, query)
    }
    t.match(await parent.get('/documents'), { status: 400, body: { errors: [{ path: 'patient_id' }] } })
    t.match(await parent.get('/documents/not-an-id'), { status: 400, body: { errors: [{ path: 'id' }] } })
  })

  await group.test('a document says how far each stage has come, and why one failed', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'stages')
    const before = documentSchema.parse((await parent.get(`/documents/${id}`)).body)
    t.equal(before.status, 'uploaded')
    t.same(
      before.stages.map(({ stage }) => stage),
      ['security_scan', 'ocr', 'spatial_mapping', 'pass1_find', 'pass2_code', 'pass3_narrate'],
    )
    t.ok(before.stages.every(({ status, started_at }) => status === 'pending' && started_at === null))

    await completeStages(db, id, ['security_scan'])
    await serve(db, sql`select public.begin_stage(${id}, 'ocr', '1')`)
    await serve(db, sql`select public.report_stage_progress(${id}, 'ocr', 2, 7)`)
    const during = documentSchema.parse((await parent.get(`/documents/${id}`)).body)
    t.equal(during.status, 'processing')
    t.match(during.stages[1], { status: 'running', pages_done: 2, pages_total: 7 })

    const error = JSON.stringify({ code: 'file_encrypted', message: 'This file needs a password.' })
    await serve(db, sql`select public.finish_stage(${id}, 'ocr', 'failed', ${error}::text::jsonb)`)
    const after = documentSchema.parse((await parent.get(`/documents/${id}`)).body)
    t.equal(after.status, 'failed')
    t.same(after.stages[1]?.error, { code: 'file_encrypted', message: 'This file needs a password.' })
    t.match(after.processing_error, { stage: 'ocr', code: 'file_encrypted' })
  })

  await group.test('pages, words and text are shown as they were read', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'read')
    t.same((await parent.get(`/documents/${id}/pages`)).body, { pages: [] })
    t.equal((await parent.get(`/documents/${id}/text`)).status, 404)
    t.equal((await parent.get(`/documents/${id}/pages/1/words`)).status, 404)

    await readOnePage(server, id)
    t.match((await parent.get(`/documents/${id}/pages`)).body, {
      pages: [{ page: 1, width_pt: 595, height_pt: 842, quality: { grade: 'good', reason: null }, word_count: 2 }],
    })
    const words: unknown = JSON.parse((await parent.get(`/documents/${id}/pages/1/words`)).text)
    t.match(words, [{ text: 'Haemoglobin' }, { text: '131' }])
    const [first] = Array.isArray(words) ? (words as { confidence: number; box: number[] }[]) : []
    t.ok(first !== undefined && first.box.length === 4 && first.box.every((edge) => edge >= 0 && edge <= 1))
    t.ok(first !== undefined && Math.abs(first.confidence - 0.9) < 0.01)
    t.same((await parent.get(`/documents/${id}/text`)).body, { version: 1, text: 'Haemoglobin 131' })

    const search = async (q: string) => {
      const answer = await parent.get(`/documents/${id}/pages/1/words?q=${encodeURIComponent(q)}`)
      t.equal(answer.status, 200, q)
      return wordListSchema.parse(JSON.parse(answer.text)).map(({ text, match }) => [text, match])
    }
    t.same(await search('hæmoglobin 131'), [
      ['Haemoglobin', 0],
      ['131', 0],
    ])
    t.same(await search('.*('), [])
    for (const bad of ['', 'x'.repeat(10_000)])
      t.equal((await parent.get(`/documents/${id}/pages/1/words?q=${bad}`)).status, 400)
    const other = await account(randomUUID())
    t.equal((await other.get(`/documents/${id}/pages/1/words?q=haemoglobin`)).status, 404, 'not for strangers')
    t.equal((await parent.remove(`/documents/${id}`)).status, 204)
    t.equal((await parent.get(`/documents/${id}/pages/1/words?q=haemoglobin`)).status, 404, 'nor from the bin')
    t.equal((await parent.post(`/documents/${id}/restore`, {})).status, 200)
    t.equal((await parent.get(`/documents/${id}/text?version=2`)).status, 404)
  })

  await group.test('facts have the shape that the contract gives them', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'facts')
    t.same((await parent.get(`/documents/${id}/facts`)).body, { facts: [] })
    await fillRecord(db, { id, patientId: parent.profileId })
    const { body } = await parent.get(`/documents/${id}/facts`)
    const { facts } = factListSchema.parse(body)
    t.same(body, { facts }, 'nothing more and nothing less')
    t.match(facts, [
      {
        type: 'medication',
        held: false,
        sources: [{ page: 1, quote: 'words' }],
        found_by: { pass: 1, provider: 'local' },
      },
    ])
  })

  await group.test('a page is shown as a picture of the width that was asked for', async (t) => {
    const parent = await account(randomUUID())
    const bytes = await sharp({ create: { width: 400, height: 200, channels: 3, background: 'white' } })
      .png()
      .toBuffer()
    const id = String((await parent.upload({ bytes })).body['shell_file_id'])
    await completeStages(db, id, ['security_scan'])
    const answer = await fetch(`${server.url}/documents/${id}/pages/1/image?width=300`, { headers: parent.headers })
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('content-type'), 'image/png')
    t.match(answer.headers.get('cache-control'), /private/)
    t.match(await sharp(Buffer.from(await answer.arrayBuffer())).metadata(), { format: 'png', width: 300, height: 150 })
    t.equal(
      (
        await parent.get(`/documents/${id}/pages/1/image?width=300`, {
          'if-none-match': answer.headers.get('etag') ?? '',
        })
      ).status,
      304,
    )
    t.equal((await parent.get(`/documents/${id}/pages/2/image`)).status, 404)
    t.equal((await parent.get(`/documents/${id}/pages/0/image`)).status, 400)
    t.equal((await parent.get(`/documents/${id}/pages/1/image?width=100000`)).status, 400)
  })

  await group.test('a page that cannot be drawn is told as that', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'no real PDF')
    await completeStages(db, id, ['security_scan'])
    t.match(await parent.get(`/documents/${id}/pages/1/image`), { status: 422, body: { code: 'page_not_rendered' } })
  })

  await group.test('nothing of a file is handed out or drawn before its scan has completed', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'not scanned yet')
    const waits = async (when: string) => {
      for (const path of ['content', 'pages/1/image']) {
        const answer = await parent.get(`/documents/${id}/${path}`)
        t.match(answer, { status: 409, body: { code: 'scan_pending' } }, `${path} while ${when}`)
        t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
      }
    }
    await waits('pending')
    await serve(db, sql`select public.begin_stage(${id}, 'security_scan', '1')`)
    await waits('running')
    await serve(db, sql`select public.finish_stage(${id}, 'security_scan', 'completed')`)
    t.equal((await parent.get(`/documents/${id}/content`)).status, 200)
    t.equal((await parent.post('/api/process-document', { shell_file_id: id })).status, 409, 'its first job waits')
    await endJobs(server, id)
    t.equal((await parent.post('/api/process-document', { shell_file_id: id, stages: ['security_scan'] })).status, 202)
    await waits('scanned again')
  })

  await group.test('malware stays shut when its document is processed again', async (t) => {
    const parent = await account(randomUUID())
    const id = await uploaded(parent, 'test virus')
    const { content, image } = { content: `/documents/${id}/content`, image: `/documents/${id}/pages/1/image` }
    await failScan(server, id, 'file_infected')
    t.match(await parent.get(content), { status: 422, body: { code: 'file_infected' } })
    t.match(await parent.get(content, { range: 'bytes=0-1' }), { status: 422, body: { code: 'file_infected' } })
    t.match(await parent.get(image), { status: 422, body: { code: 'page_not_rendered' } })

    await endJobs(server, id)
    t.equal((await parent.post('/api/process-document', { shell_file_id: id, stages: ['security_scan'] })).status, 202)
    t.equal((await parent.get(`/documents/${id}`)).body['processing_error'], null, 'the old verdict is wiped')
    t.match(await parent.get(content), { status: 409, body: { code: 'scan_pending' } })
    t.match(await parent.get(image), { status: 409, body: { code: 'scan_pending' } })
  })

  await group.test(
    'a scan that failed without a verdict opens nothing, one that met no malware the original',
    async (t) => {
      const parent = await account(randomUUID())
      for (const code of ['malware_scan_unavailable', 'worker_lost', 'cancelled', 'job_failed']) {
        const id = await uploaded(parent, code)
        await failScan(server, id, code)
        t.match(await parent.get(`/documents/${id}/content`), { status: 422, body: { code: 'scan_failed' } }, code)
        t.match(await parent.get(`/documents/${id}/pages/1/image`), {
          status: 422,
          body: { code: 'page_not_rendered' },
        })
      }
      for (const code of ['file_encrypted', 'file_corrupt']) {
        const id = await uploaded(parent, code)
        await failScan(server, id, code)
        t.equal((await parent.get(`/documents/${id}/content`)).status, 200, code)
        t.match(await parent.get(`/documents/${id}/pages/1/image`), {
          status: 422,
          body: { code: 'page_not_rendered' },
        })
      }
    },
  )
})

async function readOnePage({ db }: TestApp, id: string): Promise<void> {
  const word = (text: string, x0: number) => ({
    text,
    confidence01: 0.9,
    box: [x0, 0.1, x0 + 0.1, 0.12] as const,
    line: 0,
    block: 0,
  })
  await asService(db, {}, async (tx) => {
    await savePage(tx, id, {
      number: 1,
      widthPt: 595,
      heightPt: 842,
      rotation: 0,
      source: 'text_layer',
      engine: 'pdf',
      quality: { grade: 'good', reason: null },
      words: [word('Haemoglobin', 0.1), word('131', 0.3)],
    })
    await saveText(tx, id, { content: 'Haemoglobin 131', layout: {} })
  })
}

async function failScan({ db }: TestApp, id: string, code: string): Promise<void> {
  const error = JSON.stringify({ code, message: 'The scan did not pass.' })
  await serve(db, sql`select public.begin_stage(${id}, 'security_scan', '1')`)
  await serve(db, sql`select public.finish_stage(${id}, 'security_scan', 'failed', ${error}::text::jsonb)`)
}

async function endJobs({ db }: TestApp, id: string): Promise<void> {
  await serve(
    db,
    sql`update public.job_queue set status = 'completed', completed_at = now() where shell_file_id = ${id}`,
  )
}
