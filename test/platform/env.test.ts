import { test } from 'tap'
import { z } from 'zod'
import { commonEnv, flag, readEnv, wholeNumber, wordList } from '../../platform/env.ts'

const shape = z.object({
  PORT: wholeNumber({ min: 1, max: 65_535 }).default(8080),
  LANES: wordList().default(['fast']),
  CHECKS: flag().default(true),
  API_KEY: z.string().min(10, 'is too short').optional(),
})

test('with nothing set everything has a default', (t) => {
  t.same(readEnv(shape, { PORT: '', UNRELATED: 'x' }), { PORT: 8080, LANES: ['fast'], CHECKS: true })
  t.match(readEnv(commonEnv, {}), { DATA_DIR: '.exora', LOG_LEVEL: 'info' })
  t.end()
})

test('what is set is read as what it means', (t) => {
  const env = readEnv(shape, { PORT: '9000', LANES: 'ai, fast,', CHECKS: 'no' })
  t.same(env, { PORT: 9000, LANES: ['ai', 'fast'], CHECKS: false })
  t.end()
})

test('one error names every variable that is wrong, and shows no value', (t) => {
  const wrong = { PORT: '80a', CHECKS: 'perhaps', API_KEY: 's3cret' }
  t.throws(() => readEnv(shape, wrong), {
    name: 'ConfigurationError',
    message: /PORT: .*\n.*CHECKS: .*\n.*API_KEY: is too short/,
  })
  t.throws(() => readEnv(shape, { PORT: '70000' }), { message: /between 1 and 65535/ })
  for (const value of Object.values(wrong)) {
    t.throws(() => readEnv(shape, wrong), { message: new RegExp(`^((?!${value}).)*$`, 's') })
  }
  t.throws(() => readEnv(commonEnv, { DATABASE_URL: 'mysql://u:hunter2@h/d' }), { message: /^((?!hunter2).)*$/s })
  t.end()
})
