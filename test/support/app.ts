import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { SignJWT } from 'jose'
import { z } from 'zod'
import type { Database } from '../../db/client.ts'
import { createLog } from '../../platform/log.ts'
import type { Logger } from '../../platform/log.ts'
import { openStore } from '../../platform/storage/index.ts'
import type { Store } from '../../platform/storage/store.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import type { Tracing } from '../../platform/tracing.ts'
import { buildApp } from '../../server/app.ts'
import { readServerConfig } from '../../server/config.ts'
import type { ServerConfig } from '../../server/config.ts'
import { openEmbeddedAccounts } from '../../server/routes/auth/embedded-accounts.ts'
import type { RenderPage } from '../../server/routes/documents/page-pictures.ts'
import { profileListSchema } from '../../server/routes/profiles/schema.ts'
import type { Server } from '../../server/types.ts'
import { cheapHashing } from './cheap-hashing.ts'
import { pdf, uploadForm } from './multipart.ts'
import { testDatabase } from './postgres.ts'
import { scratchRoot } from './scratch.ts'
import type { Teardown, TestDatabase } from './postgres.ts'

export const tokenSecret = 'a secret of the tests, long enough for HS256'
export const issuer = 'https://issuer.test'
export const audience = 'authenticated'

export type TestApp = TestDatabase & {
  readonly app: Server
  /** Where it listens, on a free port of loopback. */
  readonly url: string
  readonly store: Store
  readonly config: ServerConfig
  /** Lines of the log, parsed. */
  readonly logLines: readonly Readonly<Record<string, unknown>>[]
  /** An account from outside with its `self` profile. */
  readonly account: (accountId: string) => Promise<TestAccount>
}

export type TestAccount = {
  readonly accountId: string
  readonly profileId: string
  readonly token: string
  readonly headers: { readonly authorization: string }
  readonly get: (path: string, headers?: Headers) => Promise<Answer>
  readonly post: (path: string, body: unknown, headers?: Headers) => Promise<Answer>
  readonly patch: (path: string, body: unknown) => Promise<Answer>
  readonly put: (path: string, body: unknown) => Promise<Answer>
  readonly remove: (path: string) => Promise<Answer>
  /** For oneself, unless a form of one's own is given. */
  readonly upload: (upload: TestUpload) => Promise<Answer>
}

type Headers = Readonly<Record<string, string>>
export type TestUpload = {
  readonly bytes?: Uint8Array
  readonly form?: FormData
  readonly key?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly query?: string
}

export type Answer = {
  readonly status: number
  readonly headers: globalThis.Headers
  readonly text: string
  /** The body, parsed, when it is a JSON object; fields are asked for by name. */
  readonly body: Readonly<Record<string, unknown>>
}

export type TestAppOptions = {
  readonly env?: Readonly<Record<string, string>>
  readonly accounts?: 'outside' | 'embedded'
  /** Of passwords of embedded accounts. */
  readonly hashing?: 'cheap' | 'as in production'
  readonly renderPage?: RenderPage
  readonly db?: (db: Database) => Database
  readonly tracing?: Tracing
}

/** The whole server over a database and a folder of its own, listening. */
export async function startApp(t: Teardown, options: TestAppOptions = {}): Promise<TestApp> {
  const database = await testDatabase(t)
  const dataDir = await mkdtemp(join(scratchRoot(), 'exora-app-'))
  t.teardown(() => rm(dataDir, { recursive: true, force: true }))
  const outside = { AUTH_JWT_SECRET: tokenSecret, AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience }
  const config = readServerConfig({
    DATA_DIR: dataDir,
    AUTH_SIGN_IN_LIMIT: 'off',
    ...(options.accounts === 'embedded' ? {} : outside),
    ...options.env,
  })
  const store = await openStore({ dataDir })
  const db = options.db?.(database.db) ?? database.db
  const { lines, log } = recordLog()
  const { auth } = config
  const hashing = options.hashing === 'as in production' ? undefined : cheapHashing
  const app = await buildApp({
    config,
    db,
    store,
    log,
    metrics: createMetrics({ service: 'test', runtime: 'leave_out' }),
    tracing: options.tracing ?? null,
    accounts:
      auth.kind === 'embedded' ? await openEmbeddedAccounts(db, { ...auth, secret: tokenSecret }, hashing) : null,
    renderPage: options.renderPage ?? (() => Promise.reject(new Error('this test draws no pages'))),
  })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { ...database, app, url, store, config, logLines: lines, account: (id) => introduce(url, id) }
}

export async function signToken(
  accountId: string,
  options: {
    readonly secret?: string
    readonly issuer?: string
    readonly audience?: string
    readonly expires?: string
    readonly role?: string
  } = {},
): Promise<string> {
  return await new SignJWT({ role: options.role ?? 'authenticated' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(accountId)
    .setIssuer(options.issuer ?? issuer)
    .setAudience(options.audience ?? audience)
    .setIssuedAt()
    .setExpirationTime(options.expires ?? '10m')
    .sign(new TextEncoder().encode(options.secret ?? tokenSecret))
}

async function introduce(url: string, accountId: string): Promise<TestAccount> {
  const token = await signToken(accountId)
  const headers = { authorization: `Bearer ${token}` }
  const answer = await ask(`${url}/profiles`, { headers })
  const self = profileListSchema.parse(answer.body).profiles.find((profile) => profile.profile_type === 'self')
  if (self === undefined) throw new Error(`no self profile: ${answer.status}`)
  const profileId = self.id
  return {
    accountId,
    profileId,
    token,
    headers,
    get: (path, more) => ask(`${url}${path}`, { headers: { ...headers, ...more } }),
    post: (path, body, more) =>
      ask(`${url}${path}`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json', ...more },
        body: JSON.stringify(body),
      }),
    patch: (path, body) =>
      ask(`${url}${path}`, {
        method: 'PATCH',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    put: (path, body) =>
      ask(`${url}${path}`, {
        method: 'PUT',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    remove: (path) => ask(`${url}${path}`, { method: 'DELETE', headers }),
    upload: ({ bytes = pdf('a letter'), form, key, fields, query = '' }) =>
      ask(`${url}/documents/upload${query}`, {
        method: 'POST',
        headers: { ...headers, ...(key === undefined ? {} : { 'idempotency-key': key }) },
        body: form ?? uploadForm(profileId, bytes, fields),
      }),
  }
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const answer = await fetch(url, init)
  const text = await answer.text()
  // An answer to HEAD says what it would be, and has no body.
  const isJson = text !== '' && /json/.test(answer.headers.get('content-type') ?? '')
  const body = isJson ? objectOf(JSON.parse(text)) : {}
  return { status: answer.status, headers: answer.headers, text, body }
}

const jsonObject = z.record(z.string(), z.unknown())
const objectOf = (json: unknown) => jsonObject.safeParse(json).data ?? {}

const logLine = z.record(z.string(), z.unknown())

function recordLog(): { lines: Record<string, unknown>[]; log: Logger } {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(logLine.parse(JSON.parse(line))) }
  return { lines, log: createLog({ level: 'info', service: 'test', destination }) }
}
