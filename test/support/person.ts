/** What a person's app does over HTTP: upload, follow the events as a browser would, read what was found. */
import { basename } from 'node:path'
import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { wait } from '../../platform/wait.ts'
import { documentSchema, factListSchema, textSchema, wordListSchema } from '../../server/routes/documents/schema.ts'
import { profileSchema } from '../../server/routes/profiles/schema.ts'
import { uploadAnswer } from '../../server/routes/uploads/schema.ts'
import { ask } from './app.ts'
import type { Answer } from './app.ts'
import { createEventParser, documentEvent } from './server-sent-events.ts'
import type { DocumentEvent } from './server-sent-events.ts'

export type Identity = { readonly name: string; readonly bornOn: string }
export type Fact = z.output<typeof factListSchema>['facts'][number]
export type Word = z.output<typeof wordListSchema>[number]
export type DocumentState = z.output<typeof documentSchema>
export type Upload = {
  readonly bytes: Uint8Array
  readonly filename?: string
  readonly key?: string
  readonly profileId?: string
}

export type Person = {
  readonly accountId: string
  readonly profileId: string
  readonly headers: { readonly authorization: string }
  readonly get: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>
  readonly post: (path: string, body: unknown) => Promise<Answer>
  readonly upload: (upload: Upload) => Promise<Answer>
  /** The id of a document that was taken. */
  readonly give: (path: string) => Promise<string>
  readonly giveBytes: (upload: Upload) => Promise<string>
  readonly document: (id: string) => Promise<DocumentState>
  readonly facts: (id: string) => Promise<readonly Fact[]>
  readonly text: (id: string) => Promise<string>
  readonly words: (id: string, page: number) => Promise<readonly Word[]>
  /** All that is told until the document has come to rest; a broken stream is taken up again where it broke. */
  readonly follow: (id: string, after?: number) => Promise<readonly DocumentEvent[]>
  readonly untilTold: (id: string, fits: (event: DocumentEvent) => boolean) => Promise<DocumentEvent>
  /** The same person at another server. */
  readonly at: (address: string) => Person
}

type Login = { readonly accountId: string; readonly token: string }

export async function personOf(address: string, login: Login, { name, bornOn }: Identity): Promise<Person> {
  const body = { display_name: name, full_name: name, profile_type: 'dependent', date_of_birth: bornOn }
  const made = await ask(`${address}/profiles`, {
    method: 'POST',
    headers: { authorization: `Bearer ${login.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return atServer(address, login, profileSchema.parse(made.body).id)
}

function atServer(address: string, login: Login, profileId: string): Person {
  const headers = { authorization: `Bearer ${login.token}` }
  const get: Person['get'] = (path, more) => ask(`${address}${path}`, { headers: { ...headers, ...more } })
  const upload: Person['upload'] = ({ bytes, filename = 'document', key, profileId: whose = profileId }) => {
    const body = new FormData()
    body.set('patient_id', whose)
    body.set('file', new Blob([new Uint8Array(bytes)]), filename)
    const idempotency = key === undefined ? {} : { 'idempotency-key': key }
    return ask(`${address}/documents/upload`, { method: 'POST', headers: { ...headers, ...idempotency }, body })
  }
  const giveBytes: Person['giveBytes'] = async (file) => {
    const answer = await upload(file)
    if (answer.status !== 201) throw new Error(`not taken: ${answer.status} ${answer.text}`)
    return uploadAnswer.parse(answer.body).shell_file_id
  }
  const events = (id: string, after: number) => eventsOf(`${address}/documents/${id}/events`, headers, after)
  return {
    accountId: login.accountId,
    profileId,
    headers,
    get,
    post: (path, body) =>
      ask(`${address}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    upload,
    giveBytes,
    give: async (path) => await giveBytes({ bytes: await readFile(path), filename: basename(path) }),
    document: async (id) => documentSchema.parse((await get(`/documents/${id}`)).body),
    facts: async (id) => factListSchema.parse((await get(`/documents/${id}/facts`)).body).facts,
    text: async (id) => textSchema.parse((await get(`/documents/${id}/text`)).body).text,
    words: async (id, page) =>
      wordListSchema.parse(JSON.parse((await get(`/documents/${id}/pages/${page}/words`)).text)),
    follow: async (id, after = 0) => await Array.fromAsync(events(id, after)),
    untilTold: async (id, fits) => {
      for await (const event of events(id, 0)) if (fits(event)) return event
      throw new Error('the document came to rest first')
    },
    at: (elsewhere) => atServer(elsewhere, login, profileId),
  }
}

// A browser waits for as long as the server asked it to, which is longer than a test likes.
const reconnectMs = 100

async function* eventsOf(
  url: string,
  headers: Readonly<Record<string, string>>,
  after: number,
): AsyncGenerator<DocumentEvent> {
  for (let lastId = after; ; await wait(reconnectMs)) {
    const parse = createEventParser()
    try {
      const stream = await fetch(url, {
        headers: { ...headers, accept: 'text/event-stream', 'last-event-id': String(lastId) },
      })
      if (stream.status === 404) throw new Error('no events of this document')
      if (!stream.ok || stream.body === null) continue
      for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
        for (const message of parse(chunk)) {
          if (message.event === 'end') return
          const event = documentEvent.parse(JSON.parse(message.data))
          lastId = event.id
          yield event
        }
      }
    } catch (error) {
      // The connection broke, or there is no server just now.
      if (!(error instanceof TypeError)) throw error
    }
  }
}
