import sharp from 'sharp'
import type { Metadata } from 'sharp'
import type { Finding } from './findings.ts'
import { endsAsZip, holdsOtherFile, holdsPage } from './foreign-data.ts'
import type { Inspection, ScanTask } from './inspection.ts'
import { endOfPicture, isWholeHeic } from './picture-end.ts'
import { tiffPixels } from './tiff-sizes.ts'

const mostTiffPages = 500
/** Pages behind those that could be opened within it are left to the reader, which keeps to its limits as well. */
const longestProofMs = 8_000

/** Headers first: sizes are judged before a single pixel is unpacked. Then a thumbnail proves that it opens. */
export async function inspectImage(bytes: Buffer, task: ScanTask): Promise<Inspection> {
  const header = await headerOf(bytes)
  if (header === null) return { pageCount: null, findings: ['corrupt'] }
  if (isTooLarge(header, task)) return { pageCount: null, findings: ['too_many_pixels'] }
  const pageCount = task.mimeType === 'image/tiff' ? (header.pages ?? 1) : 1
  if (pageCount > Math.min(task.maxPages, mostTiffPages)) return { pageCount, findings: ['too_many_pages'] }
  const findings: Finding[] = hasForeignData(bytes, task.mimeType ?? '') ? ['polyglot'] : []
  const isHeic = task.mimeType === 'image/heic' || task.mimeType === 'image/heif'
  findings.push(...(isHeic ? await inspectHeic(bytes) : await inspectPages(bytes, pageCount, task)))
  return { pageCount, findings: [...new Set(findings)] }
}

async function headerOf(bytes: Buffer): Promise<Metadata | null> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch {
    return null
  }
}

const isTooLarge = ({ width, height }: Metadata, { maxPixels }: ScanTask) => width * height > maxPixels

/** Decoded only where its boxes say that something is missing: that takes its time. */
async function inspectHeic(bytes: Buffer): Promise<Finding[]> {
  if (isWholeHeic(bytes)) return []
  try {
    const { default: decode } = await import('heic-decode')
    await decode({ buffer: bytes })
    return ['damaged']
  } catch {
    return ['corrupt']
  }
}

async function inspectPages(bytes: Buffer, pageCount: number, task: ScanTask): Promise<Finding[]> {
  const findings: Finding[] = []
  if (tiffPixels(bytes, pageCount).some((pixels) => pixels > task.maxPixels)) return ['too_many_pixels']
  const startedAt = performance.now()
  for (let page = 0; page < pageCount; page++) {
    if (performance.now() - startedAt > longestProofMs) break
    const state = await openPage(bytes, page, task.maxPixels)
    if (state === 'damaged') findings.push('damaged')
    if (state === 'unreadable') findings.push(pageCount === 1 ? 'corrupt' : 'damaged')
    if (state === 'too many pixels') findings.push('too_many_pixels')
  }
  return findings
}

async function openPage(
  bytes: Buffer,
  page: number,
  limitInputPixels: number,
): Promise<'whole' | 'damaged' | 'unreadable' | 'too many pixels'> {
  for (const failOn of ['warning', 'none'] as const) {
    try {
      await sharp(bytes, { page, failOn, limitInputPixels }).resize(64, 64, { fit: 'inside' }).raw().toBuffer()
      return failOn === 'warning' ? 'whole' : 'damaged'
    } catch (error) {
      if (error instanceof Error && /pixel limit/i.test(error.message)) return 'too many pixels'
    }
  }
  return 'unreadable'
}

const headBytes = 4096
const tailBytes = 65_536

/** Phones put more pictures and films behind a picture; documents, pages of the web and programs do not belong there. */
function hasForeignData(bytes: Buffer, mimeType: string): boolean {
  const end = endOfPicture(bytes, mimeType)
  const behind = end === null ? bytes.subarray(-tailBytes) : bytes.subarray(end)
  const head = bytes.subarray(0, headBytes)
  // Where the end is not known a PDF may stand anywhere.
  const isDocument = (end === null ? bytes : head).includes('%PDF-1.', 0, 'latin1') || holdsPage(head)
  return isDocument || endsAsZip(bytes) || (end === null ? holdsPage(behind) : holdsOtherFile(behind))
}
