import { randomUUID } from 'node:crypto'
import { addressProof, resetProof } from '../../../db/message-proof.ts'
import { totpOf } from '../../support/totp.ts'
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

export async function resetPassword({ api, owner }: House): Promise<void> {
  const request = 'POST /auth/request-password-reset'
  const reset = 'POST /auth/reset-password'
  const { accountId } = await signUp(api, 'forgotten@example.test')
  for (const email of ['no address', 'forgotten@example.test', 'nobody@example.test'])
    await api.ask(request, { json: { email } })
  // What a worker would have sent.
  const token = randomUUID()
  await owner`
    insert into login.verifications (identifier, value, login_generation, expires_at)
    values (${resetProof(token)}, ${accountId}, 0, now() + interval '1 hour')`
  for (const one of ['', 'invented', token])
    await api.ask(reset, { json: { token: one, new_password: 'another horse' } })
}

export async function changeEmail({ api, owner }: House): Promise<void> {
  const change = 'POST /auth/change-email'
  const confirm = 'POST /auth/change-email/confirm'
  const { accountId, session: token } = await signUp(api, 'moves@example.test')
  const email = 'moved@example.test'
  await api.ask(change, { json: { password, new_email: email } })
  for (const json of [{}, { password: 'not this one', new_email: email }, { password, new_email: email }])
    await api.ask(change, { token, json })
  const secret = randomUUID()
  await owner`
    insert into login.verifications (identifier, value, login_generation, expires_at)
    values (${addressProof(email, secret)}, ${accountId}, 0, now() + interval '1 hour')`
  await api.ask(confirm, { json: { new_email: email, token: secret } })
  for (const one of ['', 'invented', secret]) await api.ask(confirm, { token, json: { new_email: email, token: one } })
}

export async function useSecondFactor({ api, owner }: House): Promise<void> {
  const of = (what: string) => `POST /auth/two-factor/${what}`
  const answer = 'POST /auth/sign-in/two-factor'
  const email = 'factor@example.test'
  const { session: token } = await signUp(api, email)
  const wrong = { password: 'not this one' }
  await api.ask(of('backup-codes'), { token, json: { password } })
  await api.ask(of('confirm'), { token, json: { code: '123456' } })
  const { body } = await api.ask(of('enable'), { token, json: { password } })
  const uri = String(body['totp_uri'])
  await api.ask(of('confirm'), { json: { code: '123456' } })
  await api.ask(of('confirm'), { token, json: { code: '12345' } })
  await api.ask(of('confirm'), { token, json: { code: wrongFor(uri) } })
  const confirmed = await api.ask(of('confirm'), { token, json: { code: totpOf(uri) } })
  const session = { token: String(confirmed.body['token']) }
  await api.ask(of('confirm'), { ...session, json: { code: totpOf(uri, 1) } })
  for (const what of ['enable', 'backup-codes', 'disable'])
    for (const json of [{}, wrong]) await api.ask(of(what), { ...session, json })
  for (const what of ['enable', 'backup-codes', 'disable']) await api.ask(of(what), { json: { password } })
  for (const what of ['enable', 'backup-codes']) await api.ask(of(what), { ...session, json: { password } })

  const half = await api.ask('POST /auth/sign-in/email', { json: { email, password } })
  const challenge = String(half.body['challenge'])
  await api.ask(answer, { json: { challenge, code: 'none' } })
  await api.ask(answer, { json: { challenge, code: wrongFor(uri) } })
  await api.ask(answer, { json: { challenge: 'invented.challenge', code: '123456' } })
  await owner`delete from login.verifications where identifier = 'used code'`
  await api.ask(answer, { json: { challenge, code: totpOf(uri) } })
  await api.ask(of('disable'), { ...session, json: { password } })
}

function wrongFor(uri: string): string {
  const good = new Set([-1, 0, 1, 2].map((steps) => totpOf(uri, steps)))
  return ['000000', '000001', '000002', '000003', '000004'].find((code) => !good.has(code)) ?? ''
}
