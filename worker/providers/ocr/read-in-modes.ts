/**
 * How our own readers read a page, whichever engine it is: once, in the mode that is right most often; a second time in
 * another where the first was unsure; coarser where a page would take too long; never beyond its time.
 */
import { availableParallelism, loadavg } from 'node:os'
import sharp from 'sharp'
import { mergeReadings, withoutSpecks } from './page-modes.ts'
import type { PageMode } from './page-modes.ts'
import { meanConfidence } from './provider.ts'
import type { OcrImage, OcrResult, OcrWord } from './provider.ts'

export type ReadInMode = (image: OcrImage, mode: PageMode, signal: AbortSignal) => Promise<OcrWord[]>

/** Of a core that nobody else wants; where cores are shared, longer by as much. */
export type TimeLimits = {
  /** For the first reading. A clean page takes one to four seconds; grain that looks like print takes minutes. */
  readonly firstMs: number
  /** For the second, and for the coarse one in place of a first that took too long. */
  readonly nextMs: number
}

export async function readInModes(
  image: OcrImage,
  readInMode: ReadInMode,
  { signal, limits }: { readonly signal: AbortSignal; readonly limits: TimeLimits },
): Promise<OcrResult> {
  const within = async (timeoutMs: number, read: (limit: AbortSignal) => Promise<OcrWord[]>) => {
    const limit = AbortSignal.timeout(Math.round(timeoutMs * crowding()))
    try {
      return withoutSpecks(await read(AbortSignal.any([signal, limit])), image.dpi)
    } catch (error) {
      signal.throwIfAborted()
      if (limit.aborted) return null
      throw error
    }
  }
  if (image.layout === 'scattered') {
    const words = (await within(limits.nextMs, (limit) => readInMode(image, 11, limit))) ?? []
    return { words, confidence01: meanConfidence(words) }
  }
  const first = await within(limits.firstMs, (limit) => readInMode(image, 4, limit))
  if (first === null) {
    const coarse = await within(limits.nextMs, (limit) => readCoarsely(image, readInMode, limit))
    return { words: coarse ?? [], confidence01: Math.min(mostForCoarse, meanConfidence(coarse ?? [])) }
  }
  if (!isUnsure(first)) return { words: first, confidence01: meanConfidence(first) }
  const second = await within(limits.nextMs, (limit) => readInMode(image, 6, limit))
  const words = second === null ? first : mergeReadings(first, second)
  return { words, confidence01: meanConfidence(words) }
}

const mostCrowding = 6

/**
 * How many processes want each core, at least 1. A page that is clear on an idle machine must not be given up, and come out
 * otherwise, because a thousand others were uploaded with it.
 */
function crowding(): number {
  const [lastMinute = 0] = loadavg()
  return Math.min(mostCrowding, Math.max(1, lastMinute / availableParallelism()))
}

/** What was read in a hurry is never as good as it looks. */
const mostForCoarse = 0.7

const sureOfPage = 0.9
const sureOfWord = 0.6
const mostUnsure = 0.08

/** Lines that a mode lost cannot be seen in what it found, but it seldom loses any without stumbling elsewhere. */
function isUnsure(words: readonly OcrWord[]): boolean {
  const unsure = words.filter(({ confidence01 }) => confidence01 < sureOfWord).length
  return words.length > 0 && (meanConfidence(words) < sureOfPage || unsure > mostUnsure * words.length)
}

const coarser = 0.5

/** Half as fine: letters stay legible, and grain runs together. */
async function readCoarsely(image: OcrImage, readInMode: ReadInMode, signal: AbortSignal): Promise<OcrWord[]> {
  const widthPx = Math.max(1, Math.round(image.widthPx * coarser))
  const png = await sharp(image.png).resize({ width: widthPx }).blur(0.8).png({ compressionLevel: 2 }).toBuffer()
  const small = { ...image, png, widthPx, heightPx: Math.round(image.heightPx * coarser), dpi: image.dpi * coarser }
  const words = await readInMode(small, 6, signal)
  return words.map((word) => ({ ...word, box: grown(word.box, image.widthPx / widthPx) }))
}

function grown([left, top, right, bottom]: OcrWord['box'], factor: number): OcrWord['box'] {
  return [left * factor, top * factor, right * factor, bottom * factor]
}
