/**
 * How the lines of a document fall: level in a text layer, along with the picture in a scan. One line says little of
 * it (letters hang and stand), so the lines around it are asked as well; a photo's lines fan out over the page.
 */
import type { Line, MappedDocument } from '../../clinical/document/mapped.ts'
import { touchedBy } from '../../clinical/document/places.ts'
import { median } from './type-boxes.ts'

const reach = 8
const level = 0.0015

/** For each line: heights of the page per width of the page. */
export function lineSlopes(document: MappedDocument): number[] {
  const own = document.lines.map((line) => slopeOf(document, line))
  return document.lines.map(({ page }, place) => {
    const around: number[] = []
    for (let other = Math.max(0, place - reach); other <= place + reach && other < own.length; other += 1) {
      const slope = own[other]
      if (slope !== undefined && slope !== null && document.lines[other]?.page === page) around.push(slope)
    }
    const slope = around.length < 3 ? 0 : median(around)
    return Math.abs(slope) < level ? 0 : slope
  })
}

const narrowest = 0.2

function slopeOf(document: MappedDocument, line: Line): number | null {
  if (line.box[2] - line.box[0] < narrowest) return null
  const words = touchedBy(document.words, { start: line.start, end: line.start + line.length })
    .filter(
      ({ start, length }) => !/[gjpqy,;()[\]QJ]|^[^\p{L}\p{N}]*$/u.test(document.text.slice(start, start + length)),
    )
    .map(({ box }) => ({ x: (box[0] + box[2]) / 2, bottom: box[3] }))
  if (words.length < 3) return null
  const meanX = mean(words.map(({ x }) => x))
  const meanBottom = mean(words.map(({ bottom }) => bottom))
  const spread = words.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  return spread === 0
    ? null
    : words.reduce((sum, { x, bottom }) => sum + (x - meanX) * (bottom - meanBottom), 0) / spread
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
