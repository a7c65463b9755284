/**
 * The slope of a page whose lines say nothing of it, as where each cell of a table is a line of its own: the one along
 * which most words share a baseline.
 */
import { median } from './bands.ts'
import { centreX, type PlacedWord } from './placed-words.ts'

const [steepest, step] = [0.06, 0.001]
const mostWords = 2000

/** Points down per point to the right. */
export function slopeOfRows(words: readonly PlacedWord[]): number {
  if (words.length < 4) return 0
  const ink = median(words.map(({ top, bottom }) => bottom - top)) || 1
  const every = Math.ceil(words.length / mostWords)
  const asked = words.filter((_, place) => place % every === 0)
  const feet = asked.map((word) => ({ x: centreX(word), y: baselineOf(word) }))
  let best = { slope: 0, sharing: sharing(feet, 0, ink) }
  for (let steps = 1; steps * step <= steepest; steps += 1) {
    for (const slope of [steps * step, -steps * step]) {
      const found = sharing(feet, slope, ink)
      // Level until shown otherwise: a few words that happen to stand in line are no slope.
      if (found > 1.05 * best.sharing) best = { slope, sharing: found }
    }
  }
  return best.slope
}

/** The letters that hang below the line do so by a quarter of the ink of their word. */
function baselineOf({ word, top, bottom }: PlacedWord): number {
  return /[gjpqy,;()]/.test(word.text) ? bottom - 0.23 * (bottom - top) : bottom
}

function sharing(feet: readonly { readonly x: number; readonly y: number }[], slope: number, ink: number): number {
  const height = 0.3 * ink
  const shares = new Map<number, number>()
  for (const { x, y } of feet) {
    const place = (y - slope * x) / height
    const low = Math.floor(place)
    shares.set(low, (shares.get(low) ?? 0) + 1 - (place - low))
    shares.set(low + 1, (shares.get(low + 1) ?? 0) + place - low)
  }
  return [...shares.values()].reduce((sum, share) => sum + share ** 2, 0)
}
