import { randomUUID } from 'node:crypto'
import type { House } from './house.ts'
import { password, signUp } from './house.ts'

export async function signInAndOut({ api }: House): Promise<void> {
  const email = 'ann@example.test'
  const taken = { email, password, name: 'Ann' }
  await api.ask('POST /auth/sign-up/email', { json: taken })
  for (const name of ['POST /auth/sign-up/email', 'POST /auth/sign-in/email']) await api.ask(name, { json: {} })
  await api.ask('POST /auth/sign-in/email', { json: { email, password: 'not this one' } })
  const { headers } = await api.ask('POST /auth/sign-in/email', { json: { email, password } })
  const session = { token: headers.get('set-auth-token') ?? '' }
  await api.ask('GET /auth/get-session', session)
  await api.ask('GET /auth/jwks')
  for (const who of [session, {}]) await api.ask('POST /auth/sign-out', { ...who, json: {} })
  await api.ask('GET /auth/token')
}

export async function listAndEndSessions({ api, owner }: House): Promise<void> {
  const list = 'GET /auth/sessions'
  const end = 'DELETE /auth/sessions/{id}'
  const email = 'sessions@example.test'
  const { session: token } = await signUp(api, email)
  const { body } = await api.ask(list, { token })
  const [first] = body['sessions'] as { id: string }[]
  const path = { id: String(first?.id) }
  await api.ask(list)
  await api.ask(end, { path })
  await api.ask(end, { token, path: { id: 'none' } })
  await api.ask(end, { token, path: { id: randomUUID() } })
  // Signed in longer ago than a day.
  await owner`update login.sessions set created_at = now() - interval '2 days' where id = ${path.id}`
  await api.ask(list, { token })
  await api.ask(end, { token, path })
  await owner`update login.sessions set created_at = now() where id = ${path.id}`
  await api.ask(end, { token, path })
}

export async function changePassword({ api }: House): Promise<void> {
  const change = 'POST /auth/change-password'
  const { session: token } = await signUp(api, 'password@example.test')
  const body = { current_password: password, new_password: 'another horse' }
  await api.ask(change, { json: body })
  await api.ask(change, { token, json: { ...body, new_password: 'short' } })
  await api.ask(change, { token, json: { ...body, current_password: 'not this one' } })
  await api.ask(change, { token, json: body })
}
