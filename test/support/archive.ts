import type postgres from 'postgres'
import { z } from 'zod'
import type { Store } from '../../platform/storage/store.ts'
import { readZipDirectory, unpackEntry } from '../../worker/pipeline/read/office/zip.ts'

export type Archive = {
  readonly names: readonly string[]
  readonly bytes: (name: string) => Buffer
  readonly text: (name: string) => string
  /** The rows of `record/<name>.ndjson`. */
  readonly rows: (name: string) => readonly Readonly<Record<string, unknown>>[]
  /** Everything that can be read in it. */
  readonly allText: () => string
  readonly manifest: z.infer<typeof manifestShape>
}

const row = z.record(z.string(), z.unknown())
const manifestShape = z.looseObject({
  entries: z.array(z.object({ name: z.string(), size_bytes: z.number(), sha256: z.string() })),
  left_out: z.array(z.object({ document: z.string(), filename: z.string(), reason: z.string() })),
})

export function openArchive(file: Buffer): Archive {
  const directory = readZipDirectory(file)
  if (directory === null) throw new Error('this is no archive')
  const bytes = (name: string) => {
    const entry = directory.find((one) => one.name === name)
    if (entry === undefined) throw new Error(`the archive has no ${name}`)
    return unpackEntry(file, entry, 100_000_000)
  }
  const text = (name: string) => bytes(name).toString('utf8')
  const names = directory.map(({ name }) => name)
  return {
    names,
    bytes,
    text,
    rows: (name) =>
      text(`record/${name}.ndjson`)
        .split('\n')
        .filter(Boolean)
        .map((line) => row.parse(JSON.parse(line))),
    allText: () => names.map((name) => `${name}\n${text(name)}`).join('\n'),
    manifest: manifestShape.parse(JSON.parse(text('manifest.json'))),
  }
}

/** The archive of an export that is ready. */
export async function archiveOf(owner: postgres.Sql, store: Store, exportId: string): Promise<Archive> {
  const [found] = await owner<{ storage_key: string }[]>`
    select storage_key from data_exports where id = ${exportId} and status = 'ready'`
  if (found === undefined) throw new Error('there is no such archive')
  const { stream } = await store.open(found.storage_key)
  return openArchive(Buffer.concat(await Array.fromAsync<Buffer>(stream)))
}
