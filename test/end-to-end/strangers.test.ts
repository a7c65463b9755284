import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { z } from 'zod'
import { ask } from '../support/app.ts'
import type { Answer } from '../support/app.ts'
import type { Person } from '../support/person.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'

const letter = sample('lab-report-au.pdf')
const bytes = await readFile(letter)

t.setTimeout(280_000)

/** Everything that names somebody else's document or profile, in words that would do if it were one's own. */
const asking = (person: Person, documentId: string, profileId: string) => ({
  'the list of documents': () => person.get(`/documents?patient_id=${profileId}`),
  'the document': () => person.get(`/documents/${documentId}`),
  'its pages': () => person.get(`/documents/${documentId}/pages`),
  'its words': () => person.get(`/documents/${documentId}/pages/1/words`),
  'its picture': () => person.get(`/documents/${documentId}/pages/1/image`),
  'its text': () => person.get(`/documents/${documentId}/text`),
  'its facts': () => person.get(`/documents/${documentId}/facts`),
  'its events': () => person.get(`/documents/${documentId}/events`, { accept: 'text/event-stream' }),
  'its events from the middle': () => person.get(`/documents/${documentId}/events`, { 'last-event-id': '3' }),
  'its bytes': () => person.get(`/documents/${documentId}/content`),
  'some of its bytes': () => person.get(`/documents/${documentId}/content`, { range: 'bytes=0-9' }),
  'the usage': () => person.get(`/usage?patient_id=${profileId}`),
  'whether there is room': () => person.get(`/usage/check?patient_id=${profileId}&bytes=1`),
  'the profile': () => person.get(`/profiles/${profileId}`),
  'to process it': () => person.post('/api/process-document', { shell_file_id: documentId }),
  'to process it from a stage': () =>
    person.post('/api/process-document', { shell_file_id: documentId, stages: ['pass1_find'] }),
  'to decide whose it is': () => person.post(`/documents/${documentId}/identity-review`, { decision: 'accepted' }),
  'to upload for them': () => person.upload({ bytes, profileId }),
  'to upload for them with their key': () => person.upload({ bytes, profileId, key: 'the-owners-key' }),
})

void t.test("somebody's documents", async (group) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(group)
  const [server] = await Promise.all([startServer(), startWorker()])
  const owner = await introduce(server, { name: 'Patria Schimmel', bornOn: '1974-05-21' })
  const stranger = await introduce(server, { name: 'Robin Marsh', bornOn: '1961-02-03' })
  const done = await owner.giveBytes({ bytes, key: 'the-owners-key' })
  const held = await owner.give(sample('discharge-summary-two-pages.pdf'))
  group.equal((await owner.follow(done)).at(-1)?.file_status, 'completed')
  group.equal((await owner.follow(held)).at(-1)?.file_status, 'needs_review')
  const stateOf = async () => [
    // The system's own schedules go on, whoever asks.
    await sql`
      select id, status, retry_count from job_queue where job_type <> 'run_schedule' order by id
    `,
    await sql`select shell_file_id, stage, status, finished_at from shell_file_stages order by 1, 2`,
    await sql`select id, review_state, updated_at from shell_files order by id`,
    await sql`select * from manual_review_queue`,
    await sql`select * from user_usage_tracking order by profile_id`,
    await sql`select idempotency_key, status, shell_file_id from idempotency_keys`,
  ]
  const before = await stateOf()

  await group.test('are all there for their owner', async (test) => {
    const reading = Object.entries(asking(owner, done, owner.profileId)).filter(([name]) => !name.startsWith('to '))
    for (const [name, look] of reading) test.ok([200, 206].includes((await look()).status), name)
  })

  for (const [state, id] of [
    ['processed', done],
    ['held', held],
  ] as const) {
    await group.test(`(${state}) are for a stranger as if they did not exist`, async (test) => {
      const nothing = asking(stranger, randomUUID(), randomUUID())
      for (const [name, look] of Object.entries(asking(stranger, id, owner.profileId))) {
        const [theirs, nobodys] = [await look(), await nothing[name as keyof typeof nothing]()]
        test.equal(theirs.status, 404, name)
        test.same(told(theirs), told(nobodys), `${name}: the same answer as for what is not there`)
      }
    })

    await group.test(`(${state}) are closed without a token, and with one that is not ours`, async (test) => {
      for (const token of [null, 'Bearer nonsense', forged(owner)]) {
        const person = { ...owner, ...withToken(server.address, token) }
        const nothing = { ...person }
        for (const [name, look] of Object.entries(asking(person, id, owner.profileId))) {
          const answer = await look()
          test.equal(answer.status, 401, name)
          test.same(told(answer), told(await asking(nothing, randomUUID(), randomUUID())['the document']()))
        }
      }
    })
  }

  await group.test('are not changed by any of it', async (test) => {
    test.same(await stateOf(), before)
    test.match((await stranger.get(`/documents?patient_id=${stranger.profileId}`)).body, { documents: [] })
    const seen = await stranger.get('/profiles')
    test.notMatch(seen.text, owner.profileId)
    test.notMatch(seen.text, 'Schimmel')
  })
})

const headersThatTell = [
  'content-type',
  'content-length',
  'etag',
  'cache-control',
  'location',
  'content-disposition',
  'x-cache',
]

/** What an answer says, apart from its own number. */
function told({ status, headers, body, text }: Answer) {
  const rest = Object.keys(body).length > 0 ? { ...body, correlation_id: null } : text
  return { status, rest, headers: headersThatTell.map((name) => headers.get(name)) }
}

/** The owner's claims, signed by somebody else. */
function forged({ headers }: Person): string {
  const [head, claims] = headers.authorization.split('.')
  const signature = Buffer.alloc(32, 7).toString('base64url')
  return `${z.string().parse(head)}.${z.string().parse(claims)}.${signature}`
}

function withToken(address: string, authorization: string | null): Pick<Person, 'get' | 'post' | 'upload'> {
  const headers = authorization === null ? {} : { authorization }
  const post = (path: string, body: RequestInit['body'] & {}, more: Readonly<Record<string, string>> = {}) =>
    ask(`${address}${path}`, { method: 'POST', headers: { ...headers, ...more }, body })
  return {
    get: (path, more) => ask(`${address}${path}`, { headers: { ...headers, ...more } }),
    post: (path, body) => post(path, JSON.stringify(body), { 'content-type': 'application/json' }),
    upload: (file) => {
      const form = new FormData()
      form.set('patient_id', file.profileId ?? '')
      form.set('file', new Blob([new Uint8Array(file.bytes)]), 'letter.pdf')
      return post('/documents/upload', form)
    },
  }
}
