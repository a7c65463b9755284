import sharp from 'sharp'
import type { Metadata } from 'sharp'
import type { Finding } from './findings.ts'
import type { Inspection, ScanTask } from './inspection.ts'

const mostTiffPages = 500

/** Headers first: sizes are judged before a single pixel is unpacked. Then a thumbnail proves that it opens. */
export async function inspectImage(bytes: Buffer, task: ScanTask): Promise<Inspection> {
  const header = await headerOf(bytes)
  if (header === null) return { pageCount: null, findings: ['corrupt'] }
  const { width, height, pages = 1 } = header
  if (width * height > task.maxPixels) return { pageCount: null, findings: ['too_many_pixels'] }
  const pageCount = task.mimeType === 'image/tiff' ? pages : 1
  if (pageCount > Math.min(task.maxPages, mostTiffPages)) return { pageCount, findings: ['too_many_pages'] }
  const findings: Finding[] = hasForeignTail(bytes) ? ['polyglot'] : []
  if (task.mimeType === 'image/heic' || task.mimeType === 'image/heif') return { pageCount, findings }
  for (let page = 0; page < pageCount; page++) {
    const state = await openPage(bytes, page, task.maxPixels)
    if (state === 'damaged') findings.push('damaged')
    if (state === 'unreadable') findings.push(pageCount === 1 ? 'corrupt' : 'damaged')
    if (state === 'too many pixels') findings.push('too_many_pixels')
  }
  return { pageCount, findings: [...new Set(findings)] }
}

async function headerOf(bytes: Buffer): Promise<Metadata | null> {
  try {
    return await sharp(bytes, { limitInputPixels: false }).metadata()
  } catch {
    return null
  }
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

/** Pages, archives or documents hidden behind or inside a picture. */
function hasForeignTail(bytes: Buffer): boolean {
  const tail = bytes.subarray(-65_536)
  const ends = /<script[\s>]|<html[\s>]|%PDF-\d/i
  const isArchive = tail.includes('PK\x05\x06', 0, 'latin1')
  return isArchive || ends.test(tail.toString('latin1')) || ends.test(bytes.subarray(0, 4096).toString('latin1'))
}
