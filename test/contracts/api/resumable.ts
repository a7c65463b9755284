import { randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { giveAccess } from '../../support/factories.ts'
import { pdf } from '../../support/multipart.ts'
import { eventually } from '../../support/signals.ts'
import type { Asked } from '../api-recorder.ts'
import type { House, Person } from './house.ts'
import { signUp } from './house.ts'

const route = '/documents/upload/resumable'
const tus = { 'tus-resumable': '1.0.0' }
const letter = pdf('in pieces')

type Pieces = {
  readonly create: (sizeBytes: number, fields?: Readonly<Record<string, string>>) => Promise<Asked>
  /** An upload of so many bytes, to be gone on with. */
  readonly begin: (sizeBytes: number, fields?: Readonly<Record<string, string>>) => Promise<string>
  readonly send: (id: string, bytes: Uint8Array | ReadableStream<Uint8Array>, offset?: string) => Promise<Asked>
  readonly remove: (id: string) => Promise<Asked>
}

function piecesOf({ api, person }: House, { token }: Person = person): Pieces {
  const create: Pieces['create'] = (sizeBytes, fields = {}) =>
    api.ask(`POST ${route}`, {
      token,
      headers: {
        ...tus,
        'upload-length': String(sizeBytes),
        'upload-metadata': metadata({ filename: 'letter.pdf', patient_id: person.profileId, ...fields }),
      },
    })
  return {
    create,
    begin: async (...request) => (await create(...request)).headers.get('location')?.split('/').at(-1) ?? '',
    send: (id, bytes, offset = '0') =>
      api.ask(`PATCH ${route}/{id}`, {
        token,
        path: { id },
        headers: { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': offset },
        body: bytes instanceof Uint8Array ? Buffer.from(bytes) : bytes,
      }),
    remove: (id) => api.ask(`DELETE ${route}/{id}`, { token, path: { id }, headers: tus }),
  }
}

const metadata = (fields: Readonly<Record<string, string>>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',')

export async function uploadInPieces(house: House): Promise<void> {
  const { server, asPerson, carer } = house
  const { create, begin, send, remove } = piecesOf(house)
  await create(letter.byteLength, { patient_id: 'nobody' })
  await create(letter.byteLength, { patient_id: randomUUID() })
  await create(server.config.uploads.maxBytes + 1)
  await piecesOf(house, carer).create(letter.byteLength)

  const whole = await begin(letter.byteLength)
  await send(whole, letter)
  await asPerson(`GET ${route}/{id}`, { path: { id: whole } })
  const given = await begin(letter.byteLength)
  for (const id of [given, given]) await remove(id)
}

export async function refusePieces(house: House): Promise<void> {
  const { owner, server } = house
  const { begin, send, remove } = piecesOf(house)
  const refused = await begin(letter.byteLength)
  await send('none', letter)
  await send(randomUUID(), letter)
  await send(refused, letter, '5')
  await send(await begin(4), Buffer.from([0, 1, 2, 3]))
  for (const word of ['one', 'two']) {
    const bytes = pdf(word)
    await send(await begin(bytes.byteLength, { idempotency_key: 'a key of pieces' }), bytes)
  }
  // Begun while the limit was higher.
  const large = Buffer.concat([letter, Buffer.alloc(server.config.uploads.maxBytes)])
  const tooLarge = await begin(letter.byteLength)
  await owner`update resumable_uploads set size_bytes = ${large.byteLength} where id = ${tooLarge}`
  await send(tooLarge, large)
  await owner`
    update resumable_uploads set lock_token = ${randomUUID()}, locked_until = now() + interval '1 hour'
    where id = ${refused}`
  await send(refused, letter)
  await remove(refused)
  await loseAccessWithinPiece(house)
}

async function loseAccessWithinPiece(house: House): Promise<void> {
  const { api, owner, person, server } = house
  const writer = await signUp(api, 'writer@example.test')
  const grantId = await giveAccess(server.db, person, writer, person.profileId, { level: 'read_write' })
  const bytes = pdf('of a writer')
  const { begin, send } = piecesOf(house, writer)
  const id = await begin(bytes.byteLength)
  // The first half, then the rest: the server has looked at the access and writes the piece, and then that access is over.
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(bytes.subarray(0, 10))),
    pull: async (controller) => {
      await eventually(async () => {
        const files = await readdir(server.config.dataDir, { recursive: true })
        if (!files.some((name) => name.endsWith('.part'))) throw new Error('the piece is not being written')
      })
      await owner`update profile_access_permissions set permission_level = 'read_only' where id = ${grantId}`
      controller.enqueue(new Uint8Array(bytes.subarray(10)))
      controller.close()
    },
  })
  await send(id, body)
}

/** Begins while there is room; what is returned goes on when there is none. */
export async function beginBeforeLimit(house: House): Promise<() => Promise<void>> {
  const { create, begin, send } = piecesOf(house)
  const bytes = pdf('one too many')
  const id = await begin(bytes.byteLength)
  return async () => {
    await create(bytes.byteLength)
    await send(id, bytes)
  }
}
