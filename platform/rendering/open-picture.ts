import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Sharp } from 'sharp'

export const mostPixels = 100e6

export type OpenPicture = {
  readonly picture: Sharp
  readonly pageCount: number
  /** Dots per inch, if the file says. */
  readonly density: number | null
}

/** Called in child processes only. A JPEG that ends too early still shows what arrived. `index` is 0-based. */
export async function openPicture(path: string, mimeType: string, index: number): Promise<OpenPicture> {
  if (mimeType === 'image/heic' || mimeType === 'image/heif') {
    // A megabyte of decoder, which other pictures do not need.
    const { default: decodeHeic } = await import('heic-decode')
    const { data, width, height } = await decodeHeic({ buffer: await readFile(path) })
    const raw = { width, height, channels: 4 } as const
    return { picture: sharp(Buffer.from(data), { raw, limitInputPixels: mostPixels }), pageCount: 1, density: null }
  }
  const picture = sharp(path, { page: index, limitInputPixels: mostPixels, failOn: 'none' })
  const { pages, density } = await picture.metadata()
  return { picture, pageCount: mimeType === 'image/tiff' ? (pages ?? 1) : 1, density: density ?? null }
}
