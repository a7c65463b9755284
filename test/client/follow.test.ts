import { randomUUID } from 'node:crypto'
import { createClient } from 'exora/client'
import type { ClientOptions, FollowOptions, RealtimeEvent } from 'exora/client'
import { test } from 'tap'
import { actorOf } from '../support/actors.ts'
import { signToken, startApp } from '../support/app.ts'
import { beginStage, offerAccess } from '../support/factories.ts'
import { pdf } from '../support/multipart.ts'
import { eventually } from '../support/signals.ts'

type Fetch = typeof globalThis.fetch
const retries = { baseMs: 1, maxMs: 5 }

test('an account follows all that it may read, by the client', async (group) => {
  const server = await startApp(group)
  const { db, account } = server
  const ann = await account(randomUUID())
  const uploaded = async () => String((await ann.upload({ bytes: pdf(randomUUID()) })).body['shell_file_id'])
  const follow = (options?: FollowOptions, over: Partial<ClientOptions> = {}) =>
    listenTo(createClient({ baseUrl: server.url, retries, token: ann.token, ...over } as ClientOptions).follow(options))
  const noStreamIsOpen = async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    if (!/^exora_event_streams\S* 0$/m.test(metrics)) throw new Error('a stream stays open')
  }

  await group.test('documents, their stages and notifications, each with what it is about', async (t) => {
    const friend = await account(randomUUID())
    const stream = follow()
    t.match(await stream.next(), { event: 'ready', id: String, data: {} })
    const id = await uploaded()
    t.match(await stream.next(), { event: 'file', data: { document_id: id, patient_id: ann.profileId } })
    await beginStage(db, id, 'security_scan')
    t.match(await stream.next(), { event: 'stage', data: { document_id: id, stage: 'security_scan' } })

    const theirs = follow({}, { token: friend.token })
    await theirs.next()
    const [from, to] = [ann, friend].map((one) => ({ ...one, actor: actorOf(one.accountId) }))
    if (from !== undefined && to !== undefined) await offerAccess(db, from, to, ann.profileId)
    t.match(await theirs.next(), { event: 'notification', data: { patient_id: ann.profileId, kind: String } })
    await Promise.all([stream.leave(), theirs.leave()])
    await eventually(noStreamIsOpen)
  })

  await group.test('a connection that breaks is taken up behind what was told', async (t) => {
    const after: (string | null)[] = []
    const cutting: Fetch = async (input, init) => {
      after.push(new Headers(init?.headers).get('last-event-id'))
      return firstEventOf(await fetch(input, init))
    }
    const stream = follow({}, { fetch: cutting })
    const ready = await stream.next()
    const [first, second] = [await uploaded(), await uploaded()]
    const told = [await nextFile(stream), await nextFile(stream)]
    t.same(
      told.map((event) => event.data.document_id),
      [first, second],
      'each once, in order',
    )
    await stream.leave()
    t.equal(after[0], null)
    t.equal(after[1], ready.id)
    const again = follow({ after: told[0]?.id })
    t.equal((await nextFile(again)).data.document_id, second, 'also by another client, later')
    await again.leave()
  })

  await group.test('a line that has died without a word is left for another', async (t) => {
    let asked = 0
    const dead = new Promise<never>(() => {})
    // The first is never answered; the second says one thing and no more. Neither tells that it is over.
    const dying: Fetch = async (input, init) => {
      asked += 1
      if (asked === 1) return await dead
      const answer = await fetch(input, init)
      if (asked > 2) return answer
      const [said] = await readEvent(answer)
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(said) }), { status: 200 })
    }
    const stream = follow({ silenceMs: 200 }, { fetch: dying })
    t.match(await stream.next(), { event: 'ready' })
    const id = await uploaded()
    t.equal((await nextFile(stream)).data.document_id, id)
    t.ok(asked > 2)
    await stream.leave()
  })

  await group.test('a token that is over is replaced, and nothing is missed', async (t) => {
    const short = await signToken(ann.accountId, { expires: '2s' })
    const refused: (string | null)[] = []
    const isAsked = Promise.withResolvers<void>()
    const getToken = async (given: string | null) => {
      refused.push(given)
      if (given === null) return short
      isAsked.resolve()
      return ann.token
    }
    const stream = listenTo(createClient({ baseUrl: server.url, retries, getToken }).follow())
    const told = nextFile(stream)
    await isAsked.promise
    const id = await uploaded()
    t.equal((await told).data.document_id, id)
    t.same(refused, [null, short])
    await stream.leave()
    const old = await signToken(ann.accountId, { expires: '-1h' })
    await t.rejects(follow({}, { token: old }).next(), { code: 'unauthenticated' })
  })

  await group.test('what cannot be told any more is said', async (t) => {
    const stream = follow()
    const { id } = await stream.next()
    await stream.leave()
    const [, ...rest] = id.split('~')
    const old = follow({ after: ['1000', ...rest].join('~') })
    t.match(await old.next(), { event: 'reset', data: { reason: 'too_old' } })
    t.match(await old.next(), { event: 'ready' })
    await old.leave()
    await t.rejects(follow({ after: 'made up' }).next(), { code: 'invalid_request' })
  })

  await group.test('what a newer server says besides is passed over', async (t) => {
    const lines = 'id: 1\nevent: weather\ndata: "rain"\n\nid: 2\nevent: ready\ndata: {}\n\n'
    const stream = follow({}, { fetch: async () => new Response(lines) })
    t.match(await stream.next(), { id: '2', event: 'ready' })
    await stream.leave()
  })

  await group.test('until it is called off, also while it waits to come back', async (t) => {
    const called = new AbortController()
    const stream = follow({ signal: called.signal })
    await stream.next()
    const waiting = stream.next()
    called.abort()
    await t.rejects(waiting, { name: 'AbortError' })

    const away = new AbortController()
    const failing: Fetch = async () => {
      queueMicrotask(() => away.abort(new Error('went home')))
      throw new TypeError('no network')
    }
    const slow = { baseMs: 60_000, maxMs: 60_000 }
    await t.rejects(follow({ signal: away.signal }, { fetch: failing, retries: slow }).next(), { message: 'went home' })
    await eventually(noStreamIsOpen)
  })
})

test('an account is followed from a server that stops to one that goes on', async (t) => {
  const first = await startApp(t)
  const second = await startApp(t, { db: () => first.db })
  const person = await first.account(randomUUID())
  let isStopped = false
  const balanced: Fetch = (input, init) =>
    fetch(isStopped && typeof input === 'string' ? input.replace(first.url, second.url) : input, init)
  const stream = listenTo(createClient({ baseUrl: first.url, token: person.token, retries, fetch: balanced }).follow())
  await stream.next()
  const id = String((await person.upload({ bytes: pdf('before') })).body['shell_file_id'])
  t.equal((await nextFile(stream)).data.document_id, id)
  isStopped = true
  await first.app.close()
  await beginStage(first.db, id, 'security_scan')
  t.match(await stream.next(), { event: 'stage', data: { document_id: id } })
  await stream.leave()
})

type Listening = { readonly next: () => Promise<RealtimeEvent>; readonly leave: () => Promise<void> }

function listenTo(events: AsyncIterable<RealtimeEvent>): Listening {
  const iterator = events[Symbol.asyncIterator]()
  return {
    next: async () => {
      const { value, done } = await iterator.next()
      if (done === true) throw new Error('it has ended')
      return value
    },
    leave: async () => {
      await iterator.return?.()
    },
  }
}

async function nextFile(stream: Listening): Promise<Extract<RealtimeEvent, { event: 'file' | 'stage' }>> {
  for (;;) {
    const told = await stream.next()
    if (told.event === 'file') return told
  }
}

/** An answer that breaks off behind its first event. */
async function firstEventOf(answer: Response): Promise<Response> {
  const [said, leave] = await readEvent(answer)
  await leave()
  return new Response(said, { status: answer.status })
}

async function readEvent(answer: Response): Promise<[Uint8Array<ArrayBuffer>, () => Promise<void>]> {
  if (answer.body === null) throw new Error('no stream')
  const reader = answer.body.getReader()
  let seen = new Uint8Array()
  while (!Buffer.from(seen).includes('data:'))
    seen = new Uint8Array(Buffer.concat([seen, (await reader.read()).value ?? Buffer.alloc(0)]))
  return [seen, () => reader.cancel()]
}
