/**
 * What a person's app does, in as few lines as it takes: sign up, make a profile, upload, follow, fetch. It speaks
 * HTTP only and knows nothing of the server's inside.
 */
import { openAsBlob } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'

const session = z.object({ token: z.string() })
const profile = z.object({ id: z.string() })
const uploaded = z.object({ shell_file_id: z.string(), size_bytes: z.number(), mime_type: z.string() })
const problem = z.object({ detail: z.string(), code: z.string() })

const stage = z.object({
  stage: z.string(),
  status: z.string(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
})
const document = z.object({ status: z.string(), page_count: z.number().nullable(), stages: z.array(stage) })
export type DocumentState = z.infer<typeof document>

const source = z.object({
  page: z.number(),
  box: z.tuple([z.number(), z.number(), z.number(), z.number()]),
  quote: z.string(),
})
const fact = z.object({
  id: z.string(),
  type: z.string(),
  text: z.string(),
  code: z.object({ system: z.string(), code: z.string() }).nullable(),
  value: z.string().nullable(),
  unit: z.string().nullable(),
  date: z.string().nullable(),
  status: z.string(),
  confidence: z.string().nullable(),
  held: z.boolean(),
  sources: z.array(source),
})
export type Fact = z.infer<typeof fact>
const factList = z.object({ facts: z.array(fact) })

const event = z.object({
  stage: z.string().nullable(),
  status: z.string().nullable(),
  file_status: z.string(),
  pages_done: z.number().nullable(),
  pages_total: z.number().nullable(),
})
export type DocumentEvent = z.infer<typeof event>

export type Person = { name: string; dateOfBirth: string | null }

export type DemoClient = {
  addProfile(person: Person): Promise<string>
  upload(path: string, patientId: string): Promise<z.infer<typeof uploaded>>
  /** Yields until the document has come to rest. */
  follow(documentId: string): AsyncGenerator<DocumentEvent>
  document(documentId: string): Promise<DocumentState>
  facts(documentId: string): Promise<Fact[]>
  pageImage(documentId: string, page: number): Promise<Buffer>
}

/** Signs up a new account at `baseUrl` and acts for it. */
export async function signUp(baseUrl: string, email: string, password: string): Promise<DemoClient> {
  const json = { 'content-type': 'application/json' }
  const signedUp = await answerOf(
    fetch(new URL('/auth/sign-up/email', baseUrl), {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ email, password, name: 'Demo' }),
    }),
  )
  const bearer = signedUp.headers.get('set-auth-token')
  if (bearer === null) throw new Error('sign-up answered without a set-auth-token header')
  const token = session.parse(
    await (
      await answerOf(fetch(new URL('/auth/token', baseUrl), { headers: { authorization: `Bearer ${bearer}` } }))
    ).json(),
  )
  const authorization = `Bearer ${token.token}`
  const get = (path: string, headers: Record<string, string> = {}) =>
    answerOf(fetch(new URL(path, baseUrl), { headers: { authorization, ...headers } }))

  return {
    async addProfile(person) {
      const body = {
        display_name: person.name,
        full_name: person.name,
        profile_type: 'dependent',
        ...(person.dateOfBirth === null ? {} : { date_of_birth: person.dateOfBirth }),
      }
      const made = await answerOf(
        fetch(new URL('/profiles', baseUrl), {
          method: 'POST',
          headers: { ...json, authorization },
          body: JSON.stringify(body),
        }),
      )
      return profile.parse(await made.json()).id
    },
    async upload(path, patientId) {
      const form = new FormData()
      form.set('patient_id', patientId)
      form.set('file', await openAsBlob(path), basename(path))
      const stored = await answerOf(
        fetch(new URL('/documents/upload', baseUrl), {
          method: 'POST',
          headers: { authorization, 'idempotency-key': crypto.randomUUID() },
          body: form,
        }),
      )
      return uploaded.parse(await stored.json())
    },
    async *follow(documentId) {
      const stream = await get(`/documents/${documentId}/events`, { accept: 'text/event-stream' })
      for await (const message of messagesOf(stream)) {
        if (message.event === 'end') return
        yield event.parse(JSON.parse(message.data))
      }
    },
    document: async (id) => document.parse(await (await get(`/documents/${id}`)).json()),
    facts: async (id) => factList.parse(await (await get(`/documents/${id}/facts`)).json()).facts,
    pageImage: async (id, page) => Buffer.from(await (await get(`/documents/${id}/pages/${page}/image`)).arrayBuffer()),
  }
}

async function answerOf(request: Promise<Response>): Promise<Response> {
  const response = await request
  if (response.ok) return response
  const text = await response.text()
  const told = problem.safeParse(text.startsWith('{') ? JSON.parse(text) : null)
  if (!told.success) throw new Error(`the server answered ${response.status}`)
  throw new Error(`${told.data.code} (${response.status}): ${told.data.detail}`)
}

async function* messagesOf(response: Response): AsyncGenerator<{ event: string; data: string }> {
  if (response.body === null) return
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      )
      const data = fields.get('data')
      if (data !== undefined) yield { event: fields.get('event') ?? 'message', data }
    }
  }
}
