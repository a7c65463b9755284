/**
 * Scans a folder of hostile files and writes the intake scorer's input.
 *   node scripts/quality-intake.ts --corpus FOLDER --out /tmp/intake.json [--folder /tmp/eicar]
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { scanFile } from '../worker/pipeline/scan/scan-file.ts'
import { createMalwareScan } from '../worker/providers/malware/index.ts'

const declared: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.jpg': 'image/jpeg',
  '.png': 'image/png',
  '.gif': 'image/gif',
  '.tif': 'image/tiff',
  '.heic': 'image/heic',
  '.webp': 'image/webp',
  '.rtf': 'application/rtf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
}
const outcomes = { clean: 'accept', marked: 'mark', rejected: 'reject' }

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string', default: process.env['CORPUS_DIR'] ?? '' },
    folder: { type: 'string' },
    out: { type: 'string', default: 'quality-intake.json' },
  },
})

type Expected = { files: { file: string; upload_as?: string[] }[] }
const results: unknown[] = []
if (options.folder === undefined) {
  const expected: Expected = JSON.parse(readFileSync(join(options.corpus, 'hostile/expected.json'), 'utf8'))
  for (const { file, upload_as: names } of expected.files) {
    for (const name of names ?? [undefined]) results.push(await scan(join(options.corpus, file), file, name))
  }
} else {
  for (const file of readdirSync(options.folder)) results.push(await scan(join(options.folder, file), file))
}
writeFileSync(options.out, JSON.stringify(results))

async function scan(path: string, file: string, uploadAs?: string): Promise<unknown> {
  const started = performance.now()
  const declaredMimeType = declared[extname(file)] ?? ''
  const result = await scanFile(
    { path, declaredMimeType, filename: uploadAs ?? file },
    { malware: createMalwareScan(), signal: AbortSignal.timeout(120_000) },
  )
  const seconds = (performance.now() - started) / 1000
  console.log(file, result.verdict, result.code, result.findings.join(' '), result.pageCount, `${seconds.toFixed(2)} s`)
  const reason = result.reason
  return {
    file,
    outcome: outcomes[result.verdict],
    reason,
    seconds,
    ...(uploadAs === undefined ? {} : { upload_as: uploadAs }),
  }
}
