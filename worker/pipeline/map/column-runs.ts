/**
 * Neighbouring bands that leave the same vertical stripes free form a run: a table, a list of labels with values, or
 * blocks of text side by side.
 */
import type { Band } from './bands.ts'
import { median, textOf } from './bands.ts'
import { standsAcross } from './blocks.ts'
import { narrowGutters } from './narrow-gutters.ts'
import { looksLikeHeader } from './table-headers.ts'

/** A stripe that (nearly) no word of the run enters. */
export type Gutter = { left: number; right: number; crossings: number; support: number }

export type ColumnRun = {
  readonly bands: readonly Band[]
  readonly gutters: readonly Gutter[]
  /** Stripes that part columns only if it is a table: in blocks of text they stand between a label and its value. */
  readonly narrow: readonly Gutter[]
  /** Bands below that enter no gutter and have no columns: the longest of several blocks, or what follows a table. */
  readonly tail: readonly Band[]
}

export type RunOrBand =
  | { readonly kind: 'run'; readonly run: ColumnRun }
  | { readonly kind: 'band'; readonly band: Band }

export function findColumnRuns(bands: readonly Band[]): RunOrBand[] {
  const inkHeight = median(bands.map(({ top, bottom }) => bottom - top)) || 8
  const found: RunOrBand[] = []
  let open: OpenRun | null = null
  const close = (): void => {
    if (open !== null) found.push(...closeRun(open))
    open = null
  }
  for (const band of bands) {
    if (open !== null && (isTitleAbove(open, band) || !joins(open, band, inkHeight))) close()
    if (open !== null) extendRun(open, band, inkHeight)
    else if (band.segments.length > 1) open = startRun(band)
    else found.push({ kind: 'band', band })
  }
  close()
  return found
}

type OpenRun = { bands: Band[]; gutters: Gutter[] }

function startRun(band: Band): OpenRun {
  return { bands: [band], gutters: gapsOf(band).map((gap) => ({ ...gap, crossings: 0, support: 1 })) }
}

function gapsOf({ segments }: Band): { left: number; right: number }[] {
  let reach = segments[0]?.right ?? 0
  return segments.slice(1).map((segment) => {
    const gap = { left: reach, right: segment.left }
    reach = Math.max(reach, segment.right)
    return gap
  })
}

/** "REFERENCE LABORATORIES     FINAL REPORT" stands across the columns that begin below it. */
function isTitleAbove({ bands }: OpenRun, band: Band): boolean {
  const [title] = bands
  if (bands.length !== 1 || title === undefined || title.segments.length >= band.segments.length) return false
  return !looksLikeHeader(title.segments.map(textOf)) && standsAcross(title, gapsOf(band))
}

const widestRowPitch = 5

function joins(run: OpenRun, band: Band, inkHeight: number): boolean {
  const last = run.bands.at(-1)
  if (looksLikeHeader(band.segments.map(textOf))) return false
  if (last === undefined || band.top - last.bottom > widestRowPitch * inkHeight) return false
  const crossed = run.gutters.filter((gutter) => isCrossed(gutter, band, inkHeight)).length
  if (band.segments.length === 1) return crossed === 0
  return crossed * 2 < run.gutters.length || crossed === 0
}

const narrowestGutter = 0.4

function isCrossed(gutter: Gutter, band: Band, inkHeight: number): boolean {
  return freePart(gutter, band, inkHeight) === null
}

/** The widest part of the stripe that the band leaves free, or null. */
function freePart(gutter: Gutter, band: Band, inkHeight: number): { left: number; right: number } | null {
  let best: { left: number; right: number } | null = null
  let left = gutter.left
  const words = band.segments
    .flatMap(({ words: inside }) => inside)
    .filter((word) => word.right > gutter.left && word.left < gutter.right)
  for (const word of [...words.toSorted((a, b) => a.left - b.left), { left: gutter.right, right: gutter.right }]) {
    if (word.left - left > (best === null ? 0 : best.right - best.left)) best = { left, right: word.left }
    left = Math.max(left, word.right)
  }
  return best !== null && best.right - best.left >= narrowestGutter * inkHeight ? best : null
}

function extendRun(run: OpenRun, band: Band, inkHeight: number): void {
  for (const gutter of run.gutters) {
    const free = freePart(gutter, band, inkHeight)
    if (free === null) {
      gutter.crossings++
      continue
    }
    gutter.left = free.left
    gutter.right = free.right
  }
  for (const gap of gapsOf(band)) {
    const known = run.gutters.find((gutter) => gutter.left < gap.right && gap.left < gutter.right)
    if (known !== undefined) known.support++
    else run.gutters.push(newGutter(run, gap, inkHeight))
  }
  run.gutters = run.gutters.filter(({ crossings }) => crossings <= allowedCrossings(run.bands.length + 1))
  run.bands.push(band)
}

function newGutter(run: OpenRun, gap: { left: number; right: number }, inkHeight: number): Gutter {
  const gutter: Gutter = { ...gap, crossings: 0, support: 1 }
  for (const band of run.bands) {
    const free = freePart(gutter, band, inkHeight)
    if (free !== null) [gutter.left, gutter.right] = [free.left, free.right]
    // A heading may well be wider than the figures under it.
    else if (!looksLikeHeader(band.segments.map(textOf))) gutter.crossings++
  }
  return gutter
}

// A long name may run into the next column now and then.
function allowedCrossings(bandCount: number): number {
  return bandCount < 4 ? 0 : Math.max(1, Math.floor(bandCount * 0.2))
}

/** A run of one band is just a band. */
function closeRun(run: OpenRun): RunOrBand[] {
  const lastRow = run.bands.findLastIndex(({ segments }) => segments.length > 1)
  const bands = run.bands.slice(0, lastRow + 1)
  const tail = run.bands.slice(lastRow + 1)
  const gutters = supportedGutters(run, bands)
  if (bands.length < 2 || gutters.length === 0) {
    return [...bands, ...tail].map((band): RunOrBand => ({ kind: 'band', band }))
  }
  return [{ kind: 'run', run: { bands, gutters, narrow: narrowGutters(bands, gutters), tail } }]
}

const byPlace = (a: Gutter, b: Gutter): number => a.left - b.left

// A gap that a single row of many shows is a wide space, not a column.
function supportedGutters(run: OpenRun, bands: readonly Band[]): Gutter[] {
  const rows = bands.filter(({ segments }) => segments.length > 1).length
  const needed = rows <= 2 ? 1 : Math.max(2, Math.floor(rows * 0.12))
  return run.gutters.filter(({ support }) => support >= needed).toSorted(byPlace)
}
