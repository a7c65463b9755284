/**
 * Level lines of a prepared picture that go through letters. A line is dark without a break, and slim wherever no letter
 * stands on it; letters alone are broken between each other. Over and under it is ink: under an underline there is
 * hardly any, whatever box a reader gives the words.
 */
import type { Piece } from '../lines-through-words.ts'
import type { GreyImage } from './grey-image.ts'

/** Soft edges of letters that nearly touch are paler. */
const dark = 120
/** At 300 dpi. */
const shortest = 60
const thickest = 10
const widestGap = 2
/** Noise breaks a line here and there. */
const darkShare = 0.94
/** Between letters, and in them, a line through a word stands alone. */
const bareShare = 0.3
/** Of its length; above and below, this far beyond it. */
const inkShare = 0.15
const beyond = 4
/** Pictures and dark bars have many more. */
const most = 4000

type Run = { readonly y: number; readonly from: number; readonly to: number; readonly thickness: number }

/** In pixels of the picture. */
export function findLevelLines(image: GreyImage, dpi: number): Piece[] {
  const scale = dpi / 300
  const runs: Run[] = []
  for (let y = 0; y < image.height && runs.length < most; y++) {
    for (const { from, to } of darkRuns(image, y, scale)) {
      const thickness = thicknessThroughLetters(image, { y, from, to }, scale)
      if (thickness !== null) runs.push({ y, from, to, thickness })
    }
  }
  return runs.length < most ? joinRuns(runs) : []
}

function darkRuns({ data, width }: GreyImage, y: number, scale: number): { from: number; to: number }[] {
  const [start, gap, least] = [y * width, Math.max(1, widestGap * scale), shortest * scale]
  const runs: { from: number; to: number }[] = []
  let [from, last, count] = [-1, -1, 0]
  const end = (): void => {
    const length = last - from + 1
    if (from !== -1 && length >= least && count >= darkShare * length) runs.push({ from, to: last + 1 })
    from = -1
    count = 0
  }
  for (let x = 0; x < width; x++) {
    if ((data[start + x] ?? 255) >= dark) continue
    if (from !== -1 && x - last - 1 > gap) end()
    if (from === -1) from = x
    last = x
    count++
  }
  end()
  return runs
}

/** Null where it is hardly anywhere slim, or where no letters are on both of its sides. */
function thicknessThroughLetters(image: GreyImage, run: Omit<Run, 'thickness'>, scale: number): number | null {
  const { data, width } = image
  const { y, from, to } = run
  const limit = thickest * scale
  const found: number[] = []
  for (let x = from; x < to; x += 2) {
    const thickness = reach(image, x, y, -1, limit) + reach(image, x, y, 1, limit) + 1
    if (thickness <= limit) found.push(thickness)
  }
  const looked = Math.ceil((to - from) / 2)
  if (found.length < bareShare * looked) return null
  const thickness = found.toSorted((a, b) => a - b)[found.length >> 1] ?? 0
  const far = Math.round(thickness + beyond * scale)
  const inked = [y - far, y + far].map((row) => {
    let count = 0
    for (let x = from; x < to; x += 2) if ((data[row * width + x] ?? 255) < dark) count++
    return count
  })
  return Math.min(...inked) < inkShare * looked ? null : thickness
}

function reach({ data, width }: GreyImage, x: number, y: number, step: 1 | -1, limit: number): number {
  let count = 0
  while (count <= limit && (data[(y + (count + 1) * step) * width + x] ?? 255) < dark) count++
  return count
}

/** Runs of rows that lie on each other are one line, also one that falls a little. */
function joinRuns(runs: readonly Run[]): Piece[] {
  const lines: { members: Run[]; last: Run[] }[] = []
  for (const run of runs) {
    const home = lines.find(({ last }) =>
      last.some((above) => run.y - above.y <= 2 && above.from < run.to && run.from < above.to),
    )
    if (home === undefined) lines.push({ members: [run], last: [run] })
    else {
      home.members.push(run)
      home.last = [...home.last.filter(({ y }) => run.y - y <= 2), run]
    }
  }
  return lines.flatMap(({ members }, object) => {
    const line = {
      object,
      from: Math.min(...members.map(({ from }) => from)),
      to: Math.max(...members.map(({ to }) => to)),
      thickness: Math.max(...members.map(({ thickness }) => thickness)),
    }
    return members.map(({ from, to, y }) => ({ line, from, to, down: y + 0.5 }))
  })
}
