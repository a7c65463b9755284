import { test } from 'tap'
import { ask, startApp } from '../support/app.ts'

const refused = { status: 429, body: { code: 'too_many_requests' } }
const mayGuess = 2
const mayBeGuessed = 3

test('guessing passwords is slowed down, and nobody who knows theirs is', async (group) => {
  const { url } = await startApp(group, {
    accounts: 'embedded',
    env: {
      AUTH_SIGN_IN_LIMIT: 'on',
      RATE_LIMIT_PATIENCE_MS: '60000',
      TRUSTED_PROXIES: '1',
      RATE_LIMIT_SIGN_IN: String(mayGuess),
      RATE_LIMIT_SIGN_IN_ACCOUNT: String(mayBeGuessed),
      RATE_LIMIT_SIGN_UP: '3',
      RATE_LIMIT_MESSAGES: '2',
    },
  })
  const post = (path: string, body: object, address: string, more: Record<string, string> = {}) =>
    ask(`${url}/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address, ...more },
      body: JSON.stringify(body),
    })
  const signIn = (email: string, password: string, address: string) =>
    post('sign-in/email', { email, password }, address)
  const guess = (email: string, address: string) => signIn(email, 'a wrong password', address)
  const signUp = (email: string, address: string) =>
    post('sign-up/email', { email, password: 'correct horse', name: 'Ann' }, address)
  const statuses = async (tries: readonly (() => Promise<{ readonly status: number }>)[]) => {
    const seen = []
    for (const one of tries) seen.push((await one()).status)
    return seen
  }
  for (const name of ['ann', 'bea', 'eve']) await signUp(`${name}@example.test`, '198.51.100.1')

  await group.test('one address does not try one password at account after account', async (t) => {
    const spray = ['a', 'b', 'c'].map((name) => () => guess(`${name}@example.test`, '203.0.113.1'))
    t.same(await statuses(spray), [401, 401, 429])
    const last = await guess('e@example.test', '203.0.113.1')
    t.match(last, refused)
    t.ok(Number(last.headers.get('retry-after')) >= 1)
  })

  await group.test('not even all at once', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => guess(`crowd${n}@example.test`, '203.0.113.2')),
    )
    t.ok(answers.filter(({ status }) => status === 401).length <= mayGuess)
    t.ok(answers.every(({ status }) => status === 401 || status === 429))
  })

  await group.test('a house full of people who know their passwords is not slowed down', async (t) => {
    const right = Array.from(
      { length: 8 },
      (_, n) => () => signIn(`${['ann', 'bea'][n % 2]}@example.test`, 'correct horse', '203.0.113.3'),
    )
    t.same(new Set(await statuses(right)), new Set([200]))
  })

  await group.test('one who does not know theirs shuts nobody out of the house', async (t) => {
    const house = '203.0.113.8'
    const right = (name: string) => signIn(`${name}@example.test`, 'correct horse', house)
    const mistyped = Array.from({ length: 4 }, () => () => guess('bea@example.test', house))
    t.same(await statuses(mistyped), [401, 429, 429, 429])
    t.equal((await right('eve')).status, 200)

    const spray = ['f', 'g', 'h'].map((name) => () => guess(`${name}@example.test`, house))
    t.same(await statuses(spray), [401, 429, 429], 'the address has no more')
    t.same(await statuses([() => right('eve'), () => right('eve')]), [200, 200], 'who is signed in there has')
    t.equal((await right('ann')).status, 429)
    t.same(await statuses([() => guess('eve@example.test', house), () => right('eve')]), [401, 429])
  })

  await group.test('many addresses together guess no more, whether there is such an account or not', async (t) => {
    const outcomes: number[][] = []
    for (const [email, block] of [
      ['ann@example.test', 10],
      ['nobody@example.test', 11],
    ] as const) {
      const tries = Array.from(
        { length: mayBeGuessed + 3 },
        (_, n) => () =>
          guess(n % 2 === 0 ? email : email.toUpperCase(), `203.0.113.${block}${Math.min(n, mayBeGuessed)}`),
      )
      outcomes.push(await statuses(tries))
    }
    t.same(outcomes[0], [401, 401, 401, 401, 429, 429], 'a new address still has the one that is left to each')
    t.same(outcomes[1], outcomes[0])
    t.equal((await signIn('ann@example.test', 'correct horse', '203.0.113.4')).status, 200, 'and so has she')
  })

  await group.test('whoever holds a session does not guess its password by it', async (t) => {
    const session = await signIn('eve@example.test', 'correct horse', '203.0.113.5')
    const token = String(session.headers.get('set-auth-token'))
    // The same session, in two spellings.
    const spelled = (n: number) => ({ authorization: `Bearer ${n % 2 === 0 ? token : decodeURIComponent(token)}` })
    const body = { current_password: 'wrong', new_password: 'another horse' }
    const change = (n: number) => post('change-password', body, `203.0.113.20${n}`, spelled(n))
    const tries = Array.from({ length: mayBeGuessed + 3 }, (_, n) => () => change(Math.min(n, mayBeGuessed)))
    t.same(await statuses(tries), [422, 422, 422, 422, 429, 429])
  })

  await group.test('mails are asked for a few times from one address, to whomever', async (t) => {
    const forget = (name: string, from: string) =>
      post('request-password-reset', { email: `${name}@example.test` }, `203.0.113.${from}`)
    const tries = ['ann', 'bea', 'nobody'].map((name) => () => forget(name, '30'))
    t.same(await statuses([...tries, () => forget('ann', '31')]), [202, 202, 429, 202])
  })

  await group.test('signing up does not tell for ever who has an account, nor make accounts without end', async (t) => {
    const tries = Array.from({ length: mayGuess + 1 }, () => () => signUp('ann@example.test', '203.0.113.6'))
    t.same(await statuses(tries), [422, 422, 429])
    const many = Array.from({ length: 4 }, (_, n) => () => signUp(`new${n}@example.test`, '203.0.113.7'))
    t.same(await statuses(many), [200, 200, 200, 429])
  })
})
