/**
 * Damages samples with a seeded generator and scans what comes out: every variant must end in a verdict, in time.
 *   node scripts/quality-fuzz.ts --samples FOLDER --seed 1 --variants 20 --seconds 300
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { scanFile } from '../worker/pipeline/scan/scan-file.ts'
import { createMalwareScan } from '../worker/providers/malware/index.ts'

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: 'test/fixtures/documents' },
    seed: { type: 'string', default: '1' },
    variants: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '300' },
  },
})

// mulberry32: the same seed, the same damage.
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Between one and sixteen flips, cuts, insertions, repetitions and wild numbers. */
function damage(original: Buffer, random: () => number): Buffer {
  let bytes = Buffer.from(original)
  const below = (most: number) => Math.floor(random() * most)
  for (let left = 1 + below(16); left > 0 && bytes.length > 8; left--) {
    const at = below(bytes.length)
    const length = 1 + below(Math.min(64, bytes.length - at))
    const kind = below(6)
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)])
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(length, below(256)), bytes.subarray(at)])
    else if (kind === 3) bytes = Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)])
    else if (kind === 4) bytes.fill([0, 255, 0x80, 0x39][below(4)] ?? 0, at, at + Math.min(length, 4))
    else if (below(4) === 0) bytes = bytes.subarray(0, at)
  }
  return bytes
}

const folder = mkdtempSync(join(tmpdir(), 'exora-fuzz-'))
const malware = createMalwareScan()
const until = performance.now() + Number(options.seconds) * 1000
const ended = new Map<string, number>()
let [count, longestMs] = [0, 0]
const names = readdirSync(options.samples).toSorted()
for (let variant = 0; variant < Number(options.variants); variant++) {
  for (const name of names) {
    if (performance.now() > until) break
    const random = randomFrom(Number(options.seed) * 100_003 + variant * 1_009 + names.indexOf(name))
    const path = join(folder, 'variant')
    writeFileSync(path, damage(readFileSync(join(options.samples, name)), random))
    const startedAt = performance.now()
    const how = await scanFile({ path, declaredMimeType: '' }, { malware, signal: AbortSignal.timeout(60_000) }).then(
      ({ verdict, code }) => `${verdict} ${code ?? ''}`,
      (error: unknown) => `FAILED ${error instanceof Error && 'code' in error ? String(error.code) : String(error)}`,
    )
    const tookMs = performance.now() - startedAt
    if (how.startsWith('FAILED') || tookMs > 10_000) console.log(name, variant, how, `${Math.round(tookMs)} ms`)
    longestMs = Math.max(longestMs, tookMs)
    ended.set(how, (ended.get(how) ?? 0) + 1)
    count++
  }
}
rmSync(folder, { recursive: true })
console.log(count, 'variants, the longest', Math.round(longestMs), 'ms', Object.fromEntries(ended))
