import { randomUUID } from 'node:crypto'
import { createClient } from 'exora/client'
import type { ClientOptions, UploadProgress } from 'exora/client'
import { test } from 'tap'
import { signToken, startApp } from '../support/app.ts'
import { startBadLine } from '../support/bad-line.ts'
import { becomePage, replaceGlobal, withoutStreams } from '../support/browser.ts'
import { beginStage } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'

const origin = 'https://records.example'
const retries = { baseMs: 1, maxMs: 5 }
const megabyte = 1_000_000

test('in a page, where requests are made by XMLHttpRequest', async (group) => {
  const server = await startApp(group, { env: { CORS_ORIGINS: origin } })
  const line = await startBadLine(group, server.url)
  const ann = await server.account(randomUUID())
  becomePage(group, origin)
  const open = (over: Partial<ClientOptions> = {}) =>
    createClient({ baseUrl: line.url, token: ann.token, retries, ...over } as ClientOptions)
  const letter = (bytes = 100) =>
    new File([new Uint8Array(pdf(randomUUID())), new Uint8Array(bytes)], 'Größe 1.pdf', { type: 'application/pdf' })
  const upload = { patient_id: ann.profileId }
  const uploaded = async () =>
    (await open().documents.upload({ ...upload, file: letter() }, { onProgress: () => {} })).shell_file_id
  const listed = async () => (await ann.get(`/documents?patient_id=${ann.profileId}&limit=200`)).body['documents']
  const countListed = async () => Object.keys((await listed()) ?? {}).length

  await group.test('a file is uploaded, and the page told how far it is', async (t) => {
    const told: UploadProgress[] = []
    const file = letter()
    const stored = await open().documents.upload(
      { ...upload, file, note: 'ünï' },
      { onProgress: (progress) => told.push(progress) },
    )
    t.match(stored, { status: 'enqueued', filename: 'Größe 1.pdf', size_bytes: file.size })
    const last = told.at(-1)
    t.ok(last !== undefined && last.sentBytes === last.totalBytes && last.totalBytes > file.size, 'of the whole form')
  })

  await group.test('a connection that breaks in the middle costs a second try, and nothing else', async (t) => {
    const before = await countListed()
    let cuts = 0
    line.failAfter(megabyte, 'cut', () => void (cuts += 1))
    const stored = await open().documents.upload({ ...upload, file: letter(3 * megabyte) }, { onProgress: () => {} })
    t.match(stored, { status: 'enqueued', duplicate_of: null })
    t.equal(cuts, 1)
    t.equal(await countListed(), before + 1)
  })

  await group.test('so does a phone that gives up waiting by itself', async (t) => {
    const Unhurried: unknown = Reflect.get(globalThis, 'XMLHttpRequest')
    if (typeof Unhurried !== 'function') throw new Error('this is no page')
    let tries = 0
    const impatient = new Proxy(Unhurried, {
      construct: (target) => {
        tries += 1
        const xhr: object = Reflect.construct(target, [])
        if (tries === 1) Reflect.set(xhr, 'timeout', 200)
        return xhr
      },
    })
    replaceGlobal(t, 'XMLHttpRequest', impatient)
    line.failAfter(megabyte, 'stall')
    const stored = await open().documents.upload({ ...upload, file: letter(3 * megabyte) }, { onProgress: () => {} })
    t.match(stored, { status: 'enqueued' })
    t.equal(tries, 2)
  })

  await group.test('whoever calls off in the middle is told so, and nothing is kept', async (t) => {
    const before = await countListed()
    const called = new AbortController()
    line.failAfter(megabyte, 'stall', () => called.abort())
    const sending = open().documents.upload(
      { ...upload, file: letter(3 * megabyte) },
      { onProgress: () => {}, signal: called.signal },
    )
    await t.rejects(sending, { name: 'AbortError' })
    t.equal(await countListed(), before)
    await t.rejects(
      open().documents.upload({ ...upload, file: letter() }, { onProgress: () => {}, signal: called.signal }),
      { name: 'AbortError' },
    )
  })

  await group.test('a refusal comes with all that it says, and a token that is over is replaced', async (t) => {
    const file = new File(['MZ\0\0\0'], 'x.exe')
    await t.rejects(open().documents.upload({ ...upload, file }, { onProgress: () => {} }), {
      code: 'unsupported_file_type',
      status: 415,
      correlation_id: /./,
    })
    const old = await signToken(ann.accountId, { expires: '-1h' })
    const client = createClient({
      baseUrl: line.url,
      retries,
      getToken: (refused) => (refused === null ? old : ann.token),
    })
    t.match(await client.documents.upload({ ...upload, file: letter() }, { onProgress: () => {} }), {
      status: 'enqueued',
    })
  })

  await group.test('a file that a phone names by its place keeps its name', async (t) => {
    const photo = letter()
    // As React Native's does: what has a place is read from there, and named percent-encoded.
    class NativeForm extends FormData {
      override append(name: string, value: unknown): void {
        if (typeof value === 'string') super.append(name, value)
        else if (isPlaced(value)) super.append(name, photo, encodeURIComponent(value.name))
      }
    }
    replaceGlobal(t, 'FormData', NativeForm)
    const file = { uri: 'file:///photos/1', name: 'Größe 1.pdf', type: 'application/pdf' }
    const stored = await open().documents.upload({ ...upload, file }, { onProgress: () => {} })
    t.match(stored, { filename: 'Größe 1.pdf', size_bytes: photo.size })
  })

  await group.test('a page that the server does not know gets nothing, and hears that nothing came', async (t) => {
    const elsewhere = await startApp(t, { db: () => server.db })
    const { documents } = open({ baseUrl: elsewhere.url, retries: { ...retries, attempts: 1 } })
    await t.rejects(documents.upload({ ...upload, file: letter() }, { onProgress: () => {} }), { code: 'unreachable' })
  })

  await group.test('where answers cannot be streamed, events are followed all the same', async (t) => {
    withoutStreams(t)
    const client = open()
    const id = await uploaded()
    const told = client.follow()[Symbol.asyncIterator]()
    t.match(await told.next(), { value: { event: 'ready' } })
    await beginStage(server.db, id, 'security_scan')
    t.match(await told.next(), { value: { event: 'stage', data: { document_id: id } } })
    line.cutAll()
    const next = await uploaded()
    t.match(await nextFile(told), { data: { document_id: next } }, 'over a connection that broke')
    await told.return?.()

    for await (const event of client.documents.follow(id)) if (event.stage === 'security_scan') break
    await t.rejects(
      async () => {
        for await (const event of client.documents.follow(randomUUID())) t.fail(`${event.id} is told`)
      },
      { code: 'not_found' },
    )
    const called = new AbortController()
    const rest = client.follow({ signal: called.signal })[Symbol.asyncIterator]()
    await rest.next()
    const waiting = rest.next()
    called.abort()
    await t.rejects(waiting, { name: 'AbortError' })
  })
})

const isPlaced = (value: unknown): value is { readonly name: string } =>
  typeof value === 'object' && value !== null && 'uri' in value && 'name' in value

async function nextFile<Told extends { readonly event: string }>(told: AsyncIterator<Told>): Promise<Told> {
  for (;;) {
    const { value, done } = await told.next()
    if (done === true) throw new Error('it has ended')
    if (value.event === 'file') return value
  }
}
