import { request } from 'node:http'
import { createLog } from '../../platform/log.ts'
import { createMetrics } from '../../platform/telemetry.ts'
import { buildApp } from '../../server/app.ts'
import { ask } from './app.ts'
import type { Answer, TestAccount, TestApp } from './app.ts'
import type { Teardown } from './postgres.ts'

export const resumablePath = '/documents/upload/resumable'
export const tus = { 'tus-resumable': '1.0.0' }
/** How much of an upload the server stores before it counts it. */
export const pieceBytes = 4 * 1024 * 1024

const metadata = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',')

/** A client of resumable uploads as this person. */
export function piecesOf(person: Pick<TestAccount, 'headers' | 'profileId'>, url: string) {
  const headers = { ...person.headers, ...tus }
  return {
    create: (sizeBytes: number, fields: Readonly<Record<string, string>> = {}, query = ''): Promise<Answer> =>
      ask(`${url}${resumablePath}${query}`, {
        method: 'POST',
        headers: {
          ...headers,
          'upload-length': String(sizeBytes),
          'upload-metadata': metadata({ filename: 'letter.pdf', patient_id: person.profileId, ...fields }),
        },
      }),
    send: (place: string, offset: number, bytes: Uint8Array): Promise<Answer> =>
      ask(`${url}${place}`, {
        method: 'PATCH',
        headers: { ...headers, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) },
        body: Buffer.from(bytes),
      }),
    head: (place: string): Promise<Answer> => ask(`${url}${place}`, { method: 'HEAD', headers }),
    remove: (place: string): Promise<Answer> => ask(`${url}${place}`, { method: 'DELETE', headers }),
    /** Sends these bytes of more that were announced, and does not end. */
    begin: (place: string, offset: number, length: number, bytes: Uint8Array) => {
      const sending = request(`${url}${place}`, {
        method: 'PATCH',
        headers: {
          ...headers,
          'content-type': 'application/offset+octet-stream',
          'upload-offset': String(offset),
          'content-length': String(length),
        },
      })
      sending.on('error', () => {})
      sending.write(bytes)
      return sending
    },
  }
}

export const placeOf = (created: Answer) => created.headers.get('location') ?? ''
export const offsetOf = (answer: Answer) => Number(answer.headers.get('upload-offset'))

/** Over the same database and the same store. */
export async function anotherServer(t: Teardown, { config, db, store }: TestApp): Promise<string> {
  const app = await buildApp({
    config,
    db,
    store,
    log: createLog({ level: 'silent', service: 'test' }),
    metrics: createMetrics({ service: 'test', runtime: 'leave_out' }),
    tracing: null,
    accounts: null,
    renderPage: () => Promise.reject(new Error('this test draws no pages')),
  })
  t.teardown(() => app.close())
  return await app.listen({ host: '127.0.0.1', port: 0 })
}
