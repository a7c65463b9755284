/** Bars with their values, for light and dark pages alike; drawn as SVG without a library. */
export type Plot = { readonly name: string; readonly svg: string }

export type BarChart = {
  readonly name: string
  readonly title: string
  /** Of the axis, with the direction that is better. */
  readonly unit: string
  readonly bars: readonly Bar[]
}

export type Bar = { readonly label: string; readonly value: number; readonly group?: string }

const width = 720
const left = 190
const right = 90
const barHeight = 22
const gap = 8
const groupGap = 30
const top = 54
const bottom = 48

const style = `
  .paper { fill: #ffffff }
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .quiet { fill: #57606a; font-size: 12px }
  .line { stroke: #d0d7de }
  .other { fill: #8c959f }
  .ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 }
    text { fill: #e6edf3 }
    .quiet { fill: #9198a1 }
    .line { stroke: #3d444d }
    .other { fill: #6e7681 }
    .ours { fill: #4493f8 }
  }`

/** Ours stand out beside peers: those whose label has our name. Where there are no peers, all are ours. */
export function barChart(chart: BarChart): Plot {
  const largest = Math.max(...chart.bars.map(({ value }) => value).filter(Number.isFinite), 0)
  const ticks = ticksUpTo(largest)
  const axisEnd = ticks.at(-1) ?? 1
  const x = (value: number) => left + ((width - left - right) * value) / axisEnd
  const rows = placeRows(chart.bars)
  const height = rows.end + bottom
  const axis = ticks.map(
    (tick) => `
  <line class="line" x1="${x(tick)}" x2="${x(tick)}" y1="${top - 6}" y2="${rows.end}"/>
  <text class="quiet" x="${x(tick)}" y="${rows.end + 17}" text-anchor="middle">${inWords(tick)}</text>`,
  )
  const bars = rows.bars.map(
    ({ label, value, y }) => `
  <text x="${left - 10}" y="${y + 15}" text-anchor="end">${escaped(label)}</text>
  <rect class="${isOurs(label) || isWithoutPeers(chart) ? 'ours' : 'other'}" x="${left}" y="${y}" width="${Math.max(1, x(value) - left).toFixed(1)}" height="${barHeight}" rx="2"/>
  <text x="${(x(value) + 6).toFixed(1)}" y="${y + 15}">${inWords(value)}</text>`,
  )
  const groups = rows.groups.map(
    ({ label, y }) => `
  <text class="quiet" x="${left}" y="${y}">${escaped(label)}</text>`,
  )
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(chart.title)}">
  <style>${style}
  </style>
  <rect class="paper" width="${width}" height="${height}" rx="6"/>
  <text class="title" x="20" y="28">${escaped(chart.title)}</text>${axis.join('')}${groups.join('')}${bars.join('')}
  <text class="quiet" x="${(left + width - right) / 2}" y="${height - 10}" text-anchor="middle">${escaped(chart.unit)}</text>
</svg>
`
  return { name: chart.name, svg }
}

function placeRows(bars: readonly Bar[]) {
  const placed: (Bar & { y: number })[] = []
  const groups: { label: string; y: number }[] = []
  let y = top
  let group: string | undefined
  for (const bar of bars) {
    if (bar.group !== undefined && bar.group !== group) {
      if (group !== undefined) y += gap
      groups.push({ label: bar.group, y: y + groupGap - 16 })
      y += groupGap - gap
    }
    group = bar.group
    placed.push({ ...bar, y })
    y += barHeight + gap
  }
  return { bars: placed, groups, end: y }
}

/** Round numbers, four to seven of them. */
function ticksUpTo(largest: number): readonly number[] {
  if (largest <= 0) return [0, 1]
  const rough = largest / 5
  const magnitude = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude
  return Array.from({ length: Math.ceil(largest / step) + 1 }, (_, index) => Number((index * step).toPrecision(6)))
}

const isOurs = (label: string) => /^exora|job_queue/.test(label)
const isWithoutPeers = ({ bars }: BarChart) => !bars.some(({ label }) => isOurs(label))
const inWords = (value: number) =>
  value.toLocaleString('en', value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 })
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
