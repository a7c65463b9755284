import { ok } from 'node:assert/strict'
import type postgres from 'postgres'
import { test } from 'tap'
import { resetProof } from '../../db/message-proof.ts'
import { ask, startApp } from '../support/app.ts'
import type { Answer } from '../support/app.ts'
import { ownerSql } from '../support/queue.ts'
import { eventually } from '../support/signals.ts'
import { totpOf } from '../support/totp.ts'

const password = 'correct horse battery'

test('who proved something that was over a moment later does not stay', async (group) => {
  const server = await startApp(group, { accounts: 'embedded' })
  const owner = ownerSql(group, server.ownerUrl)
  const post = (path: string, body: unknown, session?: string) =>
    ask(`${server.url}/auth/${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
      },
      body: JSON.stringify(body),
    })
  const signUp = async (email: string) => {
    const session = sessionOf(await post('sign-up/email', { email, password, name: 'Ann' }))
    const [row] = await owner<{ id: string }[]>`select id from login.users where email = ${email}`
    return { id: row?.id ?? '', email, session }
  }
  const signIn = (email: string) => post('sign-in/email', { email, password })
  const sessionsOf = async (id: string) => (await owner`select from login.sessions where user_id = ${id}`).length
  /** `begun` gets as far as the account's row; then `change` is committed first. */
  const overtake = async (
    id: string,
    begun: () => Promise<Answer>,
    change: (tx: postgres.TransactionSql) => Promise<unknown>,
  ) => {
    const { answer } = await owner.begin(async (tx) => {
      await tx`select from login.users where id = ${id} for update`
      const under = begun()
      await eventually(async () => {
        ok((await owner`select from pg_locks where not granted and locktype in ('transactionid', 'tuple')`).length > 0)
      })
      await change(tx)
      return { answer: under }
    })
    return await answer
  }

  await group.test('a sign-in that is under way', async (t) => {
    const ann = await signUp('ann@example.test')
    const refused = { status: 401, body: { code: 'sign_in_refused' } }
    t.match(await overtake(ann.id, () => signIn(ann.email), otherPassword(ann.id)), refused)
    t.equal(await sessionsOf(ann.id), 0)

    const bea = await signUp('bea@example.test')
    const factor = (tx: postgres.TransactionSql) =>
      tx`update login.users set two_factor_enabled = true where id = ${bea.id}`
    t.match(await overtake(bea.id, () => signIn(bea.email), factor), { status: 202 }, 'the factor is asked for')
    t.equal(await sessionsOf(bea.id), 0)

    const cleo = await signUp('cleo@example.test')
    const [own] = await owner<{ id: string }[]>`select id from login.sessions where user_id = ${cleo.id}`
    const move = async (tx: postgres.TransactionSql) => {
      await tx`
        insert into login.verifications (identifier, value, login_generation, expires_at)
        values ('proof', ${cleo.id}, 0, now() + interval '1 hour')`
      await tx`select public.change_account_email(${cleo.id}, 'moved@example.test', 'proof', ${own?.id ?? ''})`
    }
    t.match(await overtake(cleo.id, () => signIn(cleo.email), move), { status: 401 })
    t.equal(await sessionsOf(cleo.id), 1, 'the session that moved the account goes on')
  })

  await group.test('a second factor whose challenge is being answered', async (t) => {
    const dora = await signUp('dora@example.test')
    const { body } = await post('two-factor/enable', { password }, dora.session)
    const uri = String(body['totp_uri'])
    t.equal((await post('two-factor/confirm', { code: totpOf(uri) }, dora.session)).status, 200)
    const challenge = String((await signIn(dora.email)).body['challenge'])
    const answer = () => post('sign-in/two-factor', { challenge, code: totpOf(uri, 1) })
    t.match(await overtake(dora.id, answer, otherPassword(dora.id)), { status: 401, body: { code: 'challenge_over' } })
    t.equal(await sessionsOf(dora.id), 0)
  })

  await group.test('a code of an app that is not the one any more', async (t) => {
    const emil = await signUp('emil@example.test')
    const begin = () => post('two-factor/enable', { password }, emil.session)
    const uri = String((await begin()).body['totp_uri'])
    const confirm = () => post('two-factor/confirm', { code: totpOf(uri) }, emil.session)
    const answer = await overtake(emil.id, confirm, async () => t.equal((await begin()).status, 200))
    t.match(answer, { status: 422, body: { code: 'code_refused' } })
    const [row] = await owner`
      select two_factor_enabled or verified as is_on
      from login.users as login_user join login.two_factors as factor on factor.user_id = login_user.id
      where login_user.id = ${emil.id}`
    t.same({ ...row }, { is_on: false })
  })

  await group.test(
    'whoever changes the password while somebody else does, with it or with a good secret',
    async (t) => {
      const fay = await signUp('fay@example.test')
      const body = { current_password: password, new_password: 'another horse' }
      const change = () => post('change-password', body, fay.session)
      t.match(await overtake(fay.id, change, otherPassword(fay.id)), { status: 401, body: { code: 'unauthenticated' } })
      t.equal(await sessionsOf(fay.id), 0)

      await owner`
      insert into login.verifications (identifier, value, login_generation, expires_at)
      select proof, ${fay.id}, login_generation, now() + interval '1 hour'
      from login.users, unnest(array[${resetProof('one')}, ${resetProof('two')}]) as proof where id = ${fay.id}`
      const reset = (token: string) => post('reset-password', { token, new_password: `password ${token}` })
      const first = (tx: postgres.TransactionSql) =>
        tx`select public.reset_login_password(${resetProof('one')}, 'none')`
      t.match(await overtake(fay.id, () => reset('two'), first), { status: 422, body: { code: 'secret_refused' } })
      t.match(await reset('two'), { status: 422 }, 'of all secrets one serves')
    },
  )

  await group.test('each change has its row in the audit, which names no address', async (t) => {
    const rows = await owner`
      select email, new_values, reason, changed_by = login_user.id as by_oneself, ip_address is null as unknown
      from audit_log join login.users as login_user on login_user.id::text = record_id
      where table_name = 'login.users' and split_part(email, '@', 1) in ('moved', 'dora', 'fay')
      order by email, audit_log.id`
    t.match(
      rows.map(({ email, new_values: values, reason, by_oneself: own, unknown }) => [
        email,
        values,
        reason,
        own,
        unknown,
      ]),
      [
        ['dora@example.test', { changed: ['two_factor'], two_factor: true }, null, true, false],
        ['dora@example.test', { changed: ['password'] }, null, null, true],
        ['fay@example.test', { changed: ['password'] }, null, null, true],
        ['fay@example.test', { changed: ['password'] }, 'password_reset', null, true],
        ['moved@example.test', { changed: ['email'] }, null, null, true],
      ],
    )
    const [said] = await owner`
      select count(*)::int as times from audit_log where to_jsonb(audit_log)::text like '%@example.test%'`
    t.same({ ...said }, { times: 0 })
  })

  await group.test('two who sign up with one address at once are one account', async (t) => {
    const both = await Promise.all(
      [1, 2].map(() => post('sign-up/email', { email: 'gil@example.test', password, name: 'Gil' })),
    )
    t.same(statusesOf(both), [200, 422])
  })
})

const sessionOf = (answer: Answer) => String(answer.headers.get('set-auth-token'))
const statusesOf = (answers: readonly Answer[]) => answers.map(({ status }) => status).toSorted((a, b) => a - b)

/** A hash of some other password. */
const otherPassword = (id: string) => (tx: postgres.TransactionSql) =>
  tx`
  update login.accounts
  set password = split_part(password, ':', 1) || ':' || reverse(split_part(password, ':', 2))
  where user_id = ${id}`
