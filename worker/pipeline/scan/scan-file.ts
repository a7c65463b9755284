import { open, stat } from 'node:fs/promises'
import { z } from 'zod'
import { askChildOnce, childCrashed, childTimedOut, childTooLarge } from '../../../platform/child.ts'
import type { ChildLimits } from '../../../platform/child.ts'
import { sniffMimeType } from '../../../platform/sniff.ts'
import { malwareScanTooLarge } from '../../providers/malware/provider.ts'
import type { CheckedWith, MalwareProvider, MalwareVerdict } from '../../providers/malware/provider.ts'
import { consequences } from './findings.ts'
import type { Finding } from './findings.ts'
import type { Inspection } from './inspection.ts'
import { isSameType, suitsName } from './mime-types.ts'

/** Changes when the scan may come to another verdict. */
export const scanVersion = '2'

export type ScanVerdict = {
  /** `marked`: taken, but a person should know what was found. */
  readonly verdict: 'clean' | 'marked' | 'rejected'
  readonly code: string | null
  /** Safe to show a patient; null when there is nothing to say. */
  readonly reason: string | null
  /** What the bytes say; null when they say nothing that we know. */
  readonly mimeType: string | null
  /** Null when only reading will tell. */
  readonly pageCount: number | null
  readonly findings: readonly Finding[]
  /** What the malware scanner said; null where the file was refused before it was asked. */
  readonly malware: MalwareVerdict['kind'] | null
  readonly checkedWith: readonly CheckedWith[] | null
}

export type ScanLimits = ChildLimits & { readonly maxPages: number; readonly maxPixels: number }

export type ScanOptions = {
  readonly malware: MalwareProvider
  readonly signal: AbortSignal
  readonly limits?: Partial<ScanLimits>
}

const defaultLimits: ScanLimits = {
  answerTimeoutMs: 20_000,
  maxRssBytes: 1_000_000_000,
  maxPages: 500,
  maxPixels: 100e6,
}

/** Nothing of a file may be rendered, read or served before this has let it pass. */
export async function scanFile(
  file: { readonly path: string; readonly declaredMimeType: string; readonly filename?: string },
  { malware, signal, limits }: ScanOptions,
): Promise<ScanVerdict> {
  const { size } = await stat(file.path)
  if (size === 0) return verdictOf({ ...nothingSeen, findings: ['empty'] })
  const asked = await askScanner(malware, file.path, signal)
  const seen = { malware: asked.kind, checkedWith: asked.kind === 'unscanned' ? null : asked.checkedWith }
  if (asked.kind === 'infected') return verdictOf({ ...nothingSeen, ...seen, findings: ['infected'] })

  const mimeType = sniffMimeType(await firstBytes(file.path))
  const inspection = await inspect({ path: file.path, mimeType }, { signal, limits: { ...defaultLimits, ...limits } })
  const isMislabelled =
    mimeType !== null && !(isSameType(file.declaredMimeType, mimeType) && suitsName(file.filename ?? '', mimeType))
  const findings = [
    ...inspection.findings,
    ...(isMislabelled ? (['type_mismatch'] as const) : []),
    ...unlooked[asked.kind],
  ]
  const verdict = verdictOf({ ...seen, mimeType, pageCount: inspection.pageCount, findings })
  // What scanners give up on is refused for what it is, mostly a bomb; only a file that we would take waits for them.
  if ('error' in asked && verdict.verdict !== 'rejected') throw asked.error
  return verdict
}

type Asked = MalwareVerdict | { readonly kind: 'unscanned'; readonly error: unknown }

async function askScanner(malware: MalwareProvider, path: string, signal: AbortSignal): Promise<Asked> {
  try {
    return await malware.inspect(path, { signal })
  } catch (error) {
    if (malwareScanTooLarge.matches(error)) return { kind: 'unscanned', error }
    throw error
  }
}

const nothingSeen = { mimeType: null, pageCount: null, malware: null, checkedWith: null }

/** What follows from a scanner that has found nothing because it could not look. */
const unlooked: { readonly [Kind in Exclude<MalwareVerdict['kind'], 'infected'>]: readonly Finding[] } = {
  clean: [],
  locked: ['locked_part'],
  unscanned: ['unscanned'],
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(8192), 0, 8192, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

// What took a hostile file apart may itself have been taken over.
const inspectionSchema: z.ZodType<Inspection> = z.object({
  pageCount: z.number().int().nonnegative().nullable(),
  findings: z.array(z.custom<Finding>((value) => typeof value === 'string' && value in consequences)),
})

type Inspecting = { readonly signal: AbortSignal; readonly limits: ScanLimits }

async function inspect(
  task: { readonly path: string; readonly mimeType: string | null },
  { signal, limits }: Inspecting,
): Promise<Inspection> {
  const script = new URL('scan-child.ts', import.meta.url)
  const { maxPages, maxPixels } = limits
  try {
    return inspectionSchema.parse(
      await askChildOnce({ script, task: { ...task, maxPages, maxPixels }, limits, signal }),
    )
  } catch (error) {
    // A file that kills its parser is a finding, not a failure of ours.
    if (childTimedOut.matches(error) || childTooLarge.matches(error))
      return { pageCount: null, findings: ['takes_too_long'] }
    if (childCrashed.matches(error)) return { pageCount: null, findings: ['corrupt'] }
    throw error
  }
}

type Seen = Pick<ScanVerdict, 'mimeType' | 'pageCount' | 'findings' | 'malware' | 'checkedWith'>

function verdictOf(seen: Seen): ScanVerdict {
  const findings = [...new Set(seen.findings)]
  const refusal = findings.find((finding) => consequences[finding].verdict === 'rejected')
  if (refusal !== undefined) return { ...seen, ...consequences[refusal], findings }
  if (findings.length === 0) return { ...seen, verdict: 'clean', code: null, reason: null, findings }
  const reason = findings.map((finding) => consequences[finding].reason).join(' ')
  return { ...seen, verdict: 'marked', code: null, reason, findings }
}
