import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import * as fc from 'fast-check'
import Fastify from 'fastify'
import type { FastifyRequest } from 'fastify'
import { test } from 'tap'
import { addCorrelation } from '../../server/plugins/correlation.ts'
import { addProblems } from '../../server/plugins/problems.ts'
import { cleanFilename, readForm } from '../../server/routes/uploads/form.ts'
import { boundary, encodeForm, formType, pdf, sha256 } from '../support/multipart.ts'
import type { FormPart } from '../support/multipart.ts'
import type { Teardown } from '../support/postgres.ts'

const patientId = randomUUID()
const me: FormPart = { field: 'patient_id', value: patientId }

test('the name of a file is one that can be shown and kept, whatever it was', (t) => {
  const names = fc.oneof(fc.string({ unit: 'binary', maxLength: 600 }), fc.string({ unit: 'grapheme' }), fc.string())
  fc.assert(
    fc.property(names, (given) => {
      const name = cleanFilename(given)
      const isShown = name !== '' && name === name.trim() && !/[\p{Cc}/\\\u2028-\u202e\u2066-\u2069]/u.test(name)
      return isShown && name.length <= 255 && name.isWellFormed() && cleanFilename(name) === name
    }),
    { numRuns: 500 },
  )
  t.equal(cleanFilename('../../etc/passwd'), 'passwd')
  t.equal(cleanFilename('..\\..\\a\0b.pdf'), 'ab.pdf')
  t.equal(cleanFilename('/'), 'document')
  t.equal(cleanFilename('..'), 'document')
  t.end()
})

test('a form says the same in whatever order its parts come, and whatever the file holds', async (t) => {
  const read = reader(t)
  const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 }).filter((text) => !/[\0\ufffd]/.test(text))
  const forms = fc.record({ note: texts, bytes: fc.uint8Array({ maxLength: 3_000 }), order: fc.nat(5) })
  await fc.assert(
    fc.asyncProperty(forms, async ({ note, bytes, order }) => {
      const parts = inOrder([me, { field: 'note', value: note }, { file: Buffer.concat([pdf('x'), bytes]) }], order)
      const { statusCode, body } = await read(encodeForm(parts))
      const expected = { patient_id: patientId, note, file: sha256(Buffer.concat([pdf('x'), bytes])) }
      return statusCode === 200 && JSON.stringify(sorted(JSON.parse(body))) === JSON.stringify(sorted(expected))
    }),
    { numRuns: 40 },
  )
})

test('what is no form is refused as one, and is never our fault', async (t) => {
  const read = reader(t)
  const whole = encodeForm([me, { file: pdf('damaged') }])
  const damaged = fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc.nat(whole.byteLength - 1).map((length) => whole.subarray(0, length)),
    fc.tuple(fc.nat(whole.byteLength - 1), fc.nat(255)).map(([at, byte]) => whole.with(at, byte)),
    fc
      .string({ maxLength: 200 })
      .map((line) => Buffer.from(`--${boundary}\r\n${line}\r\n\r\nx\r\n--${boundary}--\r\n`)),
  )
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      const { statusCode } = await read(Buffer.from(bytes))
      return statusCode === 200 || (statusCode >= 400 && statusCode < 500)
    }),
    { numRuns: 120 },
  )
})

/** The parser alone, behind a route that reads the file and says what it found. */
function reader(t: Teardown): (payload: Buffer) => Promise<{ readonly statusCode: number; readonly body: string }> {
  const api = Fastify()
  t.teardown(() => api.close())
  addCorrelation(api)
  addProblems(api)
  api.register(multipart)
  api.post('/', (request) => readAll(request))
  return (payload) => api.inject({ method: 'POST', url: '/', headers: { 'content-type': formType }, payload })
}

async function readAll(request: FastifyRequest): Promise<object> {
  let file = ''
  const limits = { maxBytes: 100_000, formOverheadBytes: 64_000 }
  const fields = await readForm(request, limits, async ({ bytes }) => {
    file = sha256(Buffer.concat(await Array.fromAsync(bytes)))
  })
  return { ...fields, file }
}

/** One of the six orders of three parts. */
function inOrder(parts: readonly FormPart[], nth: number): FormPart[] {
  const [first, ...rest] = [...parts.slice(nth % 3), ...parts.slice(0, nth % 3)]
  if (first === undefined) return []
  return nth < 3 ? [first, ...rest] : [first, ...rest.toReversed()]
}

const sorted = (fields: object) => Object.entries(fields).toSorted(([a], [b]) => a.localeCompare(b))
