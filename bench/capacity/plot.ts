import type { UsePoint } from './use.ts'

const [width, height, left, top] = [900, 320, 60, 30]

/** Use of the limit over time, with the moment at which half of the workers were killed. */
export function plotUse(points: readonly UsePoint[], killedAtMs: number): string {
  const endMs = points.at(-1)?.atMs ?? 1
  const x = (atMs: number) => (left + (atMs / endMs) * (width - left - 20)).toFixed(1)
  const y = (share: number) => (top + (1.05 - share) * (height - top - 40)).toFixed(1)
  const path = points.map(({ atMs, share }) => `${x(atMs)},${y(share)}`).join(' ')
  const grid = [0, 0.25, 0.5, 0.75, 0.98, 1].map(
    (share) =>
      `<line x1="${left}" x2="${width - 20}" y1="${y(share)}" y2="${y(share)}" stroke="${share === 0.98 ? '#2a7' : '#ddd'}"/>` +
      `<text x="${left - 8}" y="${y(share)}" text-anchor="end" dominant-baseline="middle">${Math.round(share * 100)} %</text>`,
  )
  const seconds = Array.from({ length: Math.floor(endMs / 30_000) + 1 }, (_, index) => index * 30)
  const ticks = seconds.map(
    (second) => `<text x="${x(second * 1000)}" y="${height - 12}" text-anchor="middle">${second} s</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="white"/>
<text x="${left}" y="16" font-size="13">Calls in the last 60 s, as a share of the limit; eight workers, four killed</text>
${grid.join('\n')}
${ticks.join('\n')}
<line x1="${x(killedAtMs)}" x2="${x(killedAtMs)}" y1="${top}" y2="${height - 40}" stroke="#c33" stroke-dasharray="4 3"/>
<polyline points="${path}" fill="none" stroke="#246" stroke-width="1.5"/>
</svg>
`
}
