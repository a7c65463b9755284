import { Writable } from 'node:stream'
import { test } from 'tap'
import { AppError, defineError } from '../../platform/errors.ts'
import { createLog } from '../../platform/log.ts'

test('ids, numbers and words from closed lists are logged; other text is not, however deep it stands', (t) => {
  const { log, lines } = recordingLog()
  log.info(
    {
      job_id: 'j-1',
      shellFileId: 'f-1',
      stage: 'ocr',
      duration_ms: 12,
      patient_name: 'Ann Example',
      text: 'metformin',
    },
    'step ended',
  )
  log.info({ request: { route: '/documents', body: { note: 'metformin' } }, lines: ['Ann Example'] }, 'request ended')
  t.match(lines()[0], {
    job_id: 'j-1',
    shellFileId: 'f-1',
    stage: 'ocr',
    duration_ms: 12,
    msg: 'step ended',
    level: 'info',
  })
  t.match(lines()[1], { request: { route: '/documents' } })
  t.notMatch(JSON.stringify(lines()), /Ann|metformin/)
  t.end()
})

test('what a child logger carries goes through the same gate', (t) => {
  const { log, lines } = recordingLog()
  log.child({ correlation_id: 'c-1', patient_name: 'Ann Example' }).info('hello')
  t.match(lines()[0], { correlation_id: 'c-1', service: 'test' })
  t.notMatch(JSON.stringify(lines()), /Ann/)
  t.end()
})

test('an error is logged by type, code and place, never by its words', (t) => {
  const { log, lines } = recordingLog()
  const refused = defineError('refused', 409, 'Refused.')
  const cause = Object.assign(new Error('Key (name)=(Ann Example) already exists'), { code: '23505' })
  const error = refused({ cause, limit: 3, note: 'Ann Example', detail: 'Ann Example may not' })
  log.error({ error }, 'job failed')
  log.error({ err: new SyntaxError('Unexpected token A in "Ann Example"') }, 'bad answer')
  log.error(new Error('Ann Example'))
  t.match(lines()[0], {
    error: {
      type: 'AppError',
      code: 'refused',
      status: 409,
      limit: 3,
      at: [/log\.test\.ts|errors\.ts/],
      cause: { code: '23505' },
    },
  })
  t.match(lines()[1], { err: { type: 'SyntaxError' } })
  t.notMatch(JSON.stringify(lines()), /Ann/)
  t.ok(error instanceof AppError)
  t.end()
})

function recordingLog() {
  const written: string[] = []
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      written.push(chunk.toString())
      done()
    },
  })
  const log = createLog({ level: 'info', service: 'test', destination })
  return { log, lines: () => written.map((line): Record<string, unknown> => JSON.parse(line)) }
}
