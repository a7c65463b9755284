import { createHash } from 'node:crypto'
import { handBackOf } from '../../../db/queries/hand-back.ts'
import { listOriginals, accountOfExport } from '../../../db/queries/record-rows.ts'
import type { Original } from '../../../db/queries/record-rows.ts'
import { recordSections } from '../../../db/queries/record-sections.ts'
import { objectNotFound } from '../../../platform/storage/store.ts'
import type { Store } from '../../../platform/storage/store.ts'
import type { ArchiveEntry } from '../../../platform/zip-archive.ts'
import { indexPage } from './index-page.ts'
import { originalName } from './original-name.ts'
import { pagesOf, rowsOf } from './record-lines.ts'
import type { Read } from './record-lines.ts'

/** Of the way in which an archive is laid out; a reader may rely on it. */
const formatVersion = 1

export type ExportMade = {
  readonly exportId: string
  readonly patientId: string
  readonly exportedAt: Date
  /** Of Exora. */
  readonly version: string
}
export type ExportSources = { readonly store: Store; readonly read: Read }

type Listed = { readonly name: string; readonly size_bytes: number; readonly sha256: string }
type LeftOut = { readonly document: string; readonly filename: string; readonly reason: string }

/** The files of an archive, each made when it is its turn; the last one lists the others. */
export async function* archiveEntries(made: ExportMade, sources: ExportSources): AsyncGenerator<ArchiveEntry> {
  const listed: Listed[] = []
  const leftOut: LeftOut[] = []
  const list = (entry: ArchiveEntry) => listing(entry, listed)

  for await (const original of originalsOf(made, sources)) {
    const stored = await openOriginal(original, sources.store)
    if (typeof stored === 'string') {
      leftOut.push({ document: original.id, filename: original.filename, reason: stored })
      continue
    }
    yield list({
      name: `originals/${originalName(original)}`,
      modifiedAt: original.createdAt,
      packing: 'store',
      bytes: stored,
    })
  }
  for await (const { name, chunks } of writtenFiles(made, sources.read)) {
    yield list({ name, modifiedAt: made.exportedAt, packing: 'deflate', bytes: encoded(chunks) })
  }
  yield {
    name: 'manifest.json',
    modifiedAt: made.exportedAt,
    packing: 'deflate',
    bytes: encoded(manifest(made, { listed, leftOut })),
  }
}

type WrittenFile = { readonly name: string; readonly chunks: AsyncIterable<string> | Iterable<string> }

async function* writtenFiles(made: ExportMade, read: Read): AsyncGenerator<WrittenFile> {
  for (const section of recordSections) {
    yield { name: `record/${section.name}.ndjson`, chunks: asLines(rowsOf(section, made.patientId, read)) }
  }
  yield { name: 'record/pages.ndjson', chunks: asLines(pagesOf(made.patientId, read)) }
  const account = await read((tx) => accountOfExport(tx, made.exportId))
  if (account !== null) yield { name: 'record/account.json', chunks: [account, '\n'] }
  yield { name: 'index.html', chunks: indexPage(made, read) }
}

async function* asLines(rows: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const row of rows) yield `${row}\n`
}

const originalsAtOnce = 200

async function* originalsOf({ patientId }: ExportMade, { read }: ExportSources): AsyncGenerator<Original> {
  for (let after: string | null = null; ;) {
    const found: readonly Original[] = await read((tx) =>
      listOriginals(tx, { patientId, after, limit: originalsAtOnce }),
    )
    yield* found
    after = found.at(-1)?.id ?? null
    if (found.length < originalsAtOnce) return
  }
}

const reasons = {
  infected: 'The file holds malware and is not handed out.',
  pending: 'The file had not been checked for malware yet.',
  unchecked: 'The file could not be checked for malware.',
} as const

/** The bytes, or why they are not in the archive. */
async function openOriginal(original: Original, store: Store): Promise<AsyncIterable<Uint8Array> | string> {
  const verdict = handBackOf(original.scan)
  if (verdict !== 'allowed') return reasons[verdict]
  try {
    return (await store.open(original.storageKey)).stream
  } catch (error) {
    if (!objectNotFound.matches(error)) throw error
    return 'The stored file is not there.'
  }
}

function* manifest(
  made: ExportMade,
  { listed, leftOut }: { readonly listed: readonly Listed[]; readonly leftOut: readonly LeftOut[] },
): Generator<string> {
  const about = {
    format: 'exora-export',
    format_version: formatVersion,
    exora_version: made.version,
    export_id: made.exportId,
    patient_id: made.patientId,
    exported_at: made.exportedAt.toISOString(),
    entries: listed,
    left_out: leftOut,
  }
  yield `${JSON.stringify(about, null, 2)}\n`
}

/** The same entry, which is put on the list once it has been read to its end. */
function listing(entry: ArchiveEntry, listed: Listed[]): ArchiveEntry {
  async function* counted() {
    const hash = createHash('sha256')
    let sizeBytes = 0
    for await (const chunk of entry.bytes) {
      hash.update(chunk)
      sizeBytes += chunk.byteLength
      yield chunk
    }
    listed.push({ name: entry.name, size_bytes: sizeBytes, sha256: hash.digest('hex') })
  }
  return { ...entry, bytes: counted() }
}

const chunkChars = 64 * 1024

/** Text as bytes, in pieces of a size that is worth a call. */
async function* encoded(texts: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Uint8Array> {
  let waiting = ''
  for await (const text of texts) {
    waiting += text
    if (waiting.length < chunkChars) continue
    yield Buffer.from(waiting)
    waiting = ''
  }
  if (waiting !== '') yield Buffer.from(waiting)
}
