import type { FlowAttachment } from './flow.ts'

/** In twentieths of a point: about 7 by 5 cm. Smaller ones are letterheads, signatures and stamps. */
const leastTwips = { width: 4000, height: 2800 }

/** A picture in hexadecimal that is big enough to hold text, or null. */
export function pictureOf(parts: readonly string[]): FlowAttachment | null {
  const words = parts.join('')
  const size = (name: string) => Number(new RegExp(`\\\\${name}(\\d{1,7})`).exec(words)?.[1] ?? 0)
  const [width, height] = [size('picwgoal'), size('pichgoal')]
  const mimeType = /\\pngblip/.test(words) ? 'image/png' : /\\jpegblip/.test(words) ? 'image/jpeg' : null
  const isBig = (width === 0 && height === 0) || (width >= leastTwips.width && height >= leastTwips.height)
  if (mimeType === null || !isBig) return null
  const bytes = Buffer.from(words.replaceAll(/\\[a-z]+-?\d* ?/gi, '').replaceAll(/\s/g, ''), 'hex')
  return bytes.length < 8000 ? null : { mimeType, bytes }
}
