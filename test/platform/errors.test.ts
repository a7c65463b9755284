import { test } from 'tap'
import { defineError, problem } from '../../platform/errors.ts'

const quotaSpent = defineError('quota_spent', 429, 'The pages of this month are used up.')

test('an error of ours is shown by title, detail and code, and keeps its cause to itself', (t) => {
  const error = quotaSpent({ detail: 'It resets on Monday.', cause: new Error('secret'), used: 7, retryAfterMs: 5 })
  t.same(problem(error, 'c-1'), {
    type: 'about:blank',
    title: 'Too Many Requests',
    status: 429,
    detail: 'It resets on Monday.',
    code: 'quota_spent',
    correlation_id: 'c-1',
  })
  t.match(error, { retryAfterMs: 5, fields: { used: 7 }, cause: { message: 'secret' } })
  t.ok(quotaSpent.matches(error))
  t.notOk(quotaSpent.matches(new Error('quota_spent')))
  t.end()
})

test('an error that was thrown without a detail says what its kind says', (t) => {
  t.match(problem(quotaSpent(), 'c-3'), {
    title: 'Too Many Requests',
    detail: 'The pages of this month are used up.',
  })
  t.end()
})

test('any other error is shown as nothing but our fault', (t) => {
  for (const thrown of [new Error('Key (name)=(Ann Example)'), 'Ann Example', null]) {
    const shown = problem(thrown, 'c-2')
    t.match(shown, { status: 500, code: 'internal_error', detail: /our side/ })
    t.notMatch(JSON.stringify(shown), /Ann/)
  }
  t.end()
})
