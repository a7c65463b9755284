/**
 * What any upload costs: Fastify and its multipart plugin, the bytes hashed on their way to the disk, one row. No
 * account, no idempotency, no usage, no audit, no job. `fork` with one JSON argument; tells its address.
 */
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import multipart from '@fastify/multipart'
import Fastify from 'fastify'
import postgres from 'postgres'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by our own parent
const place = JSON.parse(process.argv[2] ?? '') as { readonly databaseUrl: string; readonly folder: string }
const sql = postgres(place.databaseUrl, { max: 10, onnotice: () => {} })
const app = Fastify()
app.register(multipart, { limits: { fileSize: 50_000_000 } })
app.post('/documents/upload', async (request, reply) => {
  const part = await request.file()
  if (part === undefined) return await reply.code(400).send({ code: 'missing_field' })
  const id = randomUUID()
  const hash = createHash('sha256')
  await pipeline(
    part.file,
    async function* hashed(source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        hash.update(chunk)
        yield chunk
      }
    },
    createWriteStream(join(place.folder, id)),
  )
  await sql`
    insert into public.bare_uploads (id, filename, size_bytes, sha256)
    values (${id}, ${part.filename}, ${part.file.bytesRead}, ${hash.digest('hex')})`
  return await reply.code(201).send({ id })
})
const address = await app.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
process.on('disconnect', () => process.exit())
process.send?.({ address })
