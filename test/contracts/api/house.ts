import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import type postgres from 'postgres'
import { actorOf, ownerSql } from '../../support/actors.ts'
import type { Account } from '../../support/actors.ts'
import { startApp } from '../../support/app.ts'
import type { TestApp } from '../../support/app.ts'
import { giveAccess } from '../../support/factories.ts'
import { pdf, uploadForm } from '../../support/multipart.ts'
import type { Teardown } from '../../support/postgres.ts'
import { recordApi } from '../api-recorder.ts'
import type { ApiRecorder, Asked, Request } from '../api-recorder.ts'

export type Person = Account & { readonly token: string; readonly session: string; readonly profileId: string }

/** A server whose answers are noted, and who asks it. */
export type House = {
  readonly server: TestApp
  readonly api: ApiRecorder
  readonly owner: postgres.Sql
  readonly person: Person
  /** May read what is the person's. */
  readonly carer: Person
  readonly operator: Person
  readonly asPerson: (name: string, request?: Request) => Promise<Asked>
  readonly upload: (form?: FormData, key?: string) => Promise<Asked>
  /** The id of a new document. */
  readonly uploaded: () => Promise<string>
}

export const password = 'correct horse battery'

export async function openHouse(t: Teardown): Promise<House> {
  const server = await startApp(t, {
    accounts: 'embedded',
    env: { UPLOAD_MAX_MB: '1' },
    renderPage: async () => Buffer.from('a picture'),
  })
  const described: unknown = await (await fetch(`${server.url}/openapi.json`)).json()
  const api = recordApi(server.url, described)
  const owner = ownerSql(t, server.ownerUrl)
  const person = await signUp(api, 'ann@example.test')
  const carer = await signUp(api, 'carer@example.test')
  const operator = await signUp(api, 'operator@example.test')
  await owner`insert into account_roles (account_id, role) values (${operator.accountId}, 'operator')`
  await giveAccess(server.db, person, carer, person.profileId)
  const { token, profileId } = person
  const asPerson = (name: string, request: Request = {}) => api.ask(name, { token, ...request })
  const upload = async (form = uploadForm(profileId, pdf(randomUUID())), key?: string) =>
    await asPerson('POST /documents/upload', {
      body: form,
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    })
  const uploaded = async () => String((await upload()).body['shell_file_id'])
  return { server, api, owner, person, carer, operator, asPerson, upload, uploaded }
}

export async function signUp(api: ApiRecorder, email: string): Promise<Person> {
  const up = await api.ask('POST /auth/sign-up/email', { json: { email, password, name: 'Ann' } })
  const session = up.headers.get('set-auth-token') ?? ''
  const { body } = await api.ask('GET /auth/token', { token: session })
  const token = String(body['token'])
  const accountId = String(decodeJwt(token).sub)
  const { body: listed } = await api.ask('GET /profiles', { token })
  const profiles = listed['profiles'] as { id: string }[]
  return { token, session, accountId, profileId: String(profiles[0]?.id), actor: actorOf(accountId) }
}
