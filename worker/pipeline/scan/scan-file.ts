import { open, stat } from 'node:fs/promises'
import { z } from 'zod'
import { askChildOnce, childCrashed, childTimedOut, childTooLarge } from '../../../platform/child.ts'
import type { ChildLimits } from '../../../platform/child.ts'
import { sniffMimeType } from '../../../platform/sniff.ts'
import type { CheckedWith, MalwareProvider, MalwareVerdict } from '../../providers/malware/provider.ts'
import { consequences } from './findings.ts'
import type { Finding } from './findings.ts'
import type { Inspection } from './inspection.ts'
import { isSameType } from './mime-types.ts'

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
  /** Null: by no malware scanner, or not any more after a refusal of another kind. */
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
  file: { readonly path: string; readonly declaredMimeType: string },
  { malware, signal, limits }: ScanOptions,
): Promise<ScanVerdict> {
  const { size } = await stat(file.path)
  if (size === 0) return verdictOf({ ...nothingSeen, findings: ['empty'] })
  const malwareVerdict = await malware.inspect(file.path, { signal })
  const checkedWith = malwareVerdict.kind === 'unscanned' ? null : malwareVerdict.checkedWith
  if (malwareVerdict.kind === 'infected') return verdictOf({ ...nothingSeen, findings: ['infected'], checkedWith })

  const mimeType = sniffMimeType(await firstBytes(file.path))
  const inspection = await inspect({ path: file.path, mimeType }, { signal, limits: { ...defaultLimits, ...limits } })
  const isMislabelled = mimeType !== null && !isSameType(file.declaredMimeType, mimeType)
  const findings = [
    ...inspection.findings,
    ...(isMislabelled ? (['type_mismatch'] as const) : []),
    ...unlooked[malwareVerdict.kind],
  ]
  return verdictOf({ mimeType, pageCount: inspection.pageCount, findings, checkedWith })
}

const nothingSeen = { mimeType: null, pageCount: null, checkedWith: null }

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

type Seen = {
  readonly mimeType: string | null
  readonly pageCount: number | null
  readonly findings: readonly Finding[]
  readonly checkedWith: readonly CheckedWith[] | null
}

function verdictOf({ mimeType, pageCount, findings, checkedWith }: Seen): ScanVerdict {
  const unique = [...new Set(findings)]
  const refusal = unique.find((finding) => consequences[finding].verdict === 'rejected')
  const seen = { mimeType, pageCount, findings: unique, checkedWith }
  if (refusal !== undefined) return { ...consequences[refusal], ...seen }
  if (unique.length === 0) return { verdict: 'clean', code: null, reason: null, ...seen }
  return {
    verdict: 'marked',
    code: null,
    reason: unique.map((finding) => consequences[finding].reason).join(' '),
    ...seen,
  }
}
