import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createClient, ExoraError } from 'exora/client'
import type { ClientOptions } from 'exora/client'
import { test } from 'tap'
import { signToken, startApp } from '../support/app.ts'
import { ownerSql } from '../support/actors.ts'
import { beginStage, holdForReview } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

const quick = { baseMs: 1, maxMs: 5 }
type Fetch = typeof globalThis.fetch

test('the client', async (group) => {
  const server = await startApp(group)
  const { db, url: baseUrl } = server
  const account = await server.account(randomUUID())
  const open = (options: Partial<ClientOptions> = {}) =>
    createClient({ baseUrl, token: account.token, retries: quick, ...options } as ClientOptions)
  const letter = (word: string = randomUUID()) => new File([new Uint8Array(pdf(word))], "létter '1'.pdf")
  const upload = async (client = open()) =>
    await client.documents.upload({ patient_id: account.profileId, file: letter() })

  const comeToRest = async (id: string) => await holdForReview(db, id, account.profileId)

  await group.test('uploads a file, says how far it is, and shows what is known of it', async (t) => {
    const { documents, facts, profiles, usage } = open()
    const told: number[] = []
    const file = letter()
    const stored = await documents.upload(
      { patient_id: account.profileId, file, note: 'from the hospital', document_date: '2024-02-29' },
      { onProgress: ({ sentBytes, totalBytes }) => told.push(sentBytes / totalBytes) },
    )
    t.match(stored, { status: 'enqueued', filename: "létter '1'.pdf", size_bytes: file.size, duplicate_of: null })
    t.same(
      told,
      told.toSorted((a, b) => a - b),
    )
    t.equal(told.at(-1), 1)

    const id = stored.shell_file_id
    t.match(await documents.get(id), { id, note: 'from the hospital', document_date: '2024-02-29' })
    t.match(await documents.list({ patient_id: account.profileId, limit: 1 }), { documents: [{ id }] })
    t.same(await documents.facts(id), [])
    t.same(await facts.decisions(id), [])
    t.match(await facts.changes(id), { compared_with: null, new: [] })
    const penicillin = { id: randomUUID(), type: 'allergy', text: 'Penicillin' } as const
    const entered = await facts.enter(id, penicillin)
    t.match(await facts.enter(id, penicillin), { id: entered.id, in_record: true })
    const { fact, decision_id: edited } = await facts.decide(entered.id, { review: 'edited', text: 'Amoxicillin' })
    t.match(fact, { text: 'Amoxicillin', as_found: { text: 'Penicillin' } })
    t.match(await facts.undo(id, edited), [{ text: 'Penicillin' }])
    t.match(await facts.accept(id), { accepted: [] })
    t.same(await documents.pages(id), [])
    t.match(await usage.get(account.profileId), { usage: { shell_files: { used: 1 } } })
    t.match(await profiles.list(), [{ id: account.profileId }])
    await documents.remove(id)
    await t.rejects(documents.get(id), { code: 'not_found' })
    t.equal((await documents.restore(id)).id, id)
  })

  await group.test('an upload whose answer was lost is sent again under its key, and counts once', async (t) => {
    const keys: (string | null)[] = []
    const losing: Fetch = async (input, init) => {
      const answer = await fetch(input, init)
      keys.push(new Headers(init?.headers).get('idempotency-key'))
      if (keys.length > 1) return answer
      await answer.text()
      throw new TypeError('the connection broke')
    }
    const before = (await open().documents.list({ patient_id: account.profileId })).documents.length
    const file = letter()
    const stored = await open({ fetch: losing }).documents.upload({
      patient_id: account.profileId,
      file,
      keep_both: true,
    })
    t.equal(stored.duplicate_of, null)
    t.equal(keys.length, 2)
    t.equal(new Set(keys).size, 1)
    const { documents } = await open().documents.list({ patient_id: account.profileId })
    t.equal(documents.length, before + 1)
  })

  await group.test('what the server refused for good is said at once, with all that it said', async (t) => {
    let asked = 0
    const counting: Fetch = (input, init) => {
      asked += 1
      return fetch(input, init)
    }
    const { documents, profiles } = open({ fetch: counting })
    const refused = await documents.get(randomUUID()).catch((error: unknown) => error)
    t.ok(refused instanceof ExoraError)
    t.match(refused, { code: 'not_found', status: 404, correlation_id: /./, retryAfterMs: null })
    const file = new File(['MZ\0\0\0'], 'x.exe')
    await t.rejects(documents.upload({ patient_id: account.profileId, file }), { code: 'unsupported_file_type' })
    await t.rejects(profiles.change(account.profileId, { date_of_birth: '2999-01-01' }), {
      code: 'invalid_request',
      errors: [{ path: 'date_of_birth' }],
    })
    t.equal(asked, 3)
  })

  await group.test('what passes is waited for; a POST that may have been done is not done twice', async (t) => {
    const failing = (answers: (Response | Error)[]): { fetch: Fetch; left: () => number } => ({
      left: () => answers.length,
      fetch: async (input, init) => {
        const answer = answers.shift() ?? (await fetch(input, init))
        if (answer instanceof Error) throw answer
        return answer
      },
    })
    const passing = () => [
      new Response('<h1>Bad gateway</h1>', { status: 502 }),
      new Response('', { status: 503, headers: { 'retry-after': '0' } }),
      new Response('', { status: 429 }),
      new TypeError('no network'),
    ]
    const reads = failing(passing())
    t.equal((await open({ fetch: reads.fetch }).profiles.get(account.profileId)).id, account.profileId)
    t.equal(reads.left(), 0)

    const profile = { display_name: 'Child', profile_type: 'child' as const }
    const posts = failing(passing())
    await t.rejects(open({ fetch: posts.fetch }).profiles.create(profile), { status: 502, code: 'unexpected_answer' })
    t.equal(posts.left(), 3)
    const refusals = failing([new Response('', { status: 429 }), new TypeError('no network')])
    await t.rejects(open({ fetch: refusals.fetch }).profiles.create(profile), { status: 0, code: 'unreachable' })
    t.equal(refusals.left(), 0)

    const held = () => Response.json({ code: 'idempotency_in_progress' }, { status: 409 })
    const dead = failing(Array.from({ length: 9 }, held))
    t.match(await upload(open({ fetch: dead.fetch, retries: { ...quick, attempts: 2 } })), { status: 'enqueued' })
    t.equal(dead.left(), 0, 'an attempt that died with its server keeps others out for a while')

    const tired = failing(Array.from({ length: 9 }, () => new TypeError('no network')))
    await t.rejects(open({ fetch: tired.fetch, retries: { ...quick, attempts: 3 } }).profiles.list(), {
      code: 'unreachable',
    })
    t.equal(tired.left(), 6)
  })

  await group.test('a token that is over is replaced once, for all requests that it failed', async (t) => {
    const asked: (string | null)[] = []
    const old = await signToken(account.accountId, { expires: '-1h' })
    const getToken = (refused: string | null) => {
      asked.push(refused)
      return refused === null ? old : account.token
    }
    const client = createClient({ baseUrl, getToken })
    await Promise.all([client.profiles.list(), client.usage.plans(), upload(client)])
    t.same(asked, [null, old])
    await t.rejects(createClient({ baseUrl, getToken: () => old }).profiles.list(), { code: 'unauthenticated' })
    await t.rejects(createClient({ baseUrl }).profiles.list(), { code: 'unauthenticated' })
  })

  await group.test(
    'a stream that breaks off is taken up behind the last event, and ends with the document',
    async (t) => {
      const { shell_file_id: id } = await upload()
      await beginStage(db, id, 'security_scan')
      const after: (string | null)[] = []
      const breaking: Fetch = async (input, init) => {
        const answer = await fetch(input, init)
        after.push(new Headers(init?.headers).get('last-event-id'))
        if (after.length > 2 || answer.body === null) return answer
        // One piece, and the line is dead.
        const reader = answer.body.getReader()
        const seen: Uint8Array[] = []
        while (!Buffer.concat(seen).includes('data:')) seen.push((await reader.read()).value ?? new Uint8Array())
        await reader.cancel()
        return new Response(new Uint8Array(Buffer.concat(seen)), { status: 200 })
      }
      const told: number[] = []
      for await (const event of open({ fetch: breaking }).documents.follow(id)) {
        told.push(event.id)
        if (told.length === 2) await comeToRest(id)
      }
      t.same(
        told,
        [...new Set(told)].toSorted((a, b) => a - b),
        'each once, in order',
      )
      t.ok(told.length > 8)
      t.equal(after[0], null)
      t.ok(after.length > 1 && Number(after[1]) > 0)
    },
  )

  await group.test('whoever calls off is told so, and whoever leaves a stream leaves it', async (t) => {
    const called = new AbortController()
    const { shell_file_id: id } = await upload()
    const { documents } = open()
    const following = (async () => {
      for await (const event of documents.follow(id, { signal: called.signal })) if (event.id > 0) called.abort()
    })()
    await t.rejects(following, { name: 'AbortError' })
    await t.rejects(documents.get(id, { signal: called.signal }), { name: 'AbortError' })
    await t.rejects(documents.upload({ patient_id: account.profileId, file: letter() }, { signal: called.signal }), {
      name: 'AbortError',
    })
    for await (const event of documents.follow(id)) if (event.id > 0) break
    await t.rejects(
      async () => {
        for await (const event of documents.follow(randomUUID())) t.fail(`${event.id} is told`)
      },
      { code: 'not_found' },
    )
  })
})

test('the examples of docs/client.md do what it says', async (t) => {
  const server = await startApp(t, { accounts: 'embedded' })
  const page = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8')
  const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code.replace(/^import .*$/m, ''))
  t.equal(examples.length, 5)
  const owner = ownerSql(t, server.ownerUrl)
  const shown: unknown[] = []
  const leaving = new AbortController()
  const finish = async () => {
    const [file] = await owner<{ id: string; patient_id: string }[]>`select id, patient_id from shell_files`
    if (file !== undefined) await holdForReview(server.db, file.id, file.patient_id)
  }
  let isLive = false
  const show = (...said: unknown[]) => {
    shown.push(...said)
    const text = JSON.stringify(said)
    if (text.includes('"uploaded"') && !text.includes('next_cursor')) void finish()
    if (isLive) leaving.abort()
    if (text.includes('next_cursor')) {
      isLive = true
      void owner`
        insert into shell_file_events (shell_file_id, patient_id, file_status) select id, patient_id, 'completed' from shell_files`.execute()
    }
  }
  const given = {
    createClient,
    ExoraError,
    baseUrl: server.url,
    email: 'ann@example.test',
    password: 'correct horse battery',
    file: new Blob([new Uint8Array(pdf('an example'))]),
    id: randomUUID(),
    signal: leaving.signal,
    show,
  }
  const AsyncFunction = Object.getPrototypeOf(finish).constructor
  const isEndless = (code: string) => code.includes('client.follow(')
  const code = [...examples.filter((one) => !isEndless(one)), ...examples.filter(isEndless)].join('\n')
  const run = new AsyncFunction(...Object.keys(given), code)(...Object.values(given))
  await t.rejects(run, { name: 'AbortError' }, 'the last of them goes on until it is called off')
  t.ok(shown.includes(1), 'all of the file was sent')
  t.ok(shown.includes('completed'))
  t.ok(shown.some((one) => typeof one === 'string' && /nothing here/.test(one)))
})
