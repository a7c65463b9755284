/**
 * A picture of a page → what OCR reads best: upright but for a half turn, level, flat, evenly lit, about 300 dpi; and
 * the way back from its pixels to the picture.
 */
import type { Piece } from '../lines-through-words.ts'
import { straight } from './bend.ts'
import type { Bend } from './bend.ts'
import { blankOutside, cleanRim } from './clean-edges.ts'
import { eraseDashes } from './erase-dashes.ts'
import { eraseRules } from './erase-rules.ts'
import { distance, findPage } from './find-page.ts'
import type { Corners } from './find-page.ts'
import { findSkew } from './find-skew.ts'
import { flattenLight } from './flatten-light.ts'
import { findLevelLines } from './level-lines.ts'
import type { GreyImage } from './grey-image.ts'
import { shrink } from './grey-image.ts'
import { apply, compose, fromRectangle, identity, moving, scaling, turning } from './homography.ts'
import type { Homography, Point } from './homography.ts'
import { invertLightPrint } from './light-print.ts'
import { warp } from './warp.ts'

export type PreparedImage = {
  readonly image: GreyImage
  readonly dpi: number
  /** Of the picture as it came in. */
  readonly pictureDpi: number
  /** From pixels of `image` to fractions of the picture as it came in. */
  readonly toPicture: Homography
  /** How the lines of the picture bow, which were drawn straight in `image`. */
  readonly bend: Bend
  /** Clockwise turn that was made; text may still stand on its head. */
  readonly turned: 0 | 90
  readonly hasCorners: boolean
  /** Found before the rules among them were taken away; in pixels of `image`. */
  readonly lines: readonly Piece[]
}

const clearGain = 1.35
const readingDpi = 300
const mostPixels = 24e6
const longSideInches = 11.4

export function prepareImage(picture: GreyImage, knownDpi: number | null): PreparedImage {
  const corners = findPage(picture)
  const sheet = sheetOf(picture, corners)
  const dpi = knownDpi !== null && corners === null ? knownDpi : Math.max(sheet.width, sheet.height) / longSideInches
  const skew = findSkew(preview(picture, sheet), corners === null ? 'flat' : 'perhaps bowed')
  const turn = skew.isSideways ? 90 : 0
  const scale = limitScale(readingDpi / dpi, sheet)
  // A sheet on the glass is flat; a gain by chance would slant the rules of its tables.
  const isBowed = corners !== null || skew.bendGain > clearGain
  const bend = (isBowed ? skew.bend : null) ?? straight
  // The bow has a slope of its own.
  const degrees = bend === straight ? skew.degrees : 0
  const { size, toSheet } = levelled(sheet, { turn, degrees, scale })
  const toPicture = compose(sheet.toPicture, toSheet)
  const isUntouched = isIdentity(toPicture) && bend === straight
  // The ground around a photographed sheet would spoil its edges, so light is flattened after cutting it out.
  const level = isUntouched ? picture : warp(picture, size, toPicture, bend)
  const flat = cleanRim(blankOutside(flattenLight(level), picture, { toSource: toPicture, bend }))
  const printed = invertLightPrint(flat, dpi * scale)
  return {
    image: withoutRules(printed, dpi * scale),
    lines: findLevelLines(printed, dpi * scale),
    dpi: dpi * scale,
    pictureDpi: dpi,
    toPicture: compose([1 / picture.width, 0, 0, 0, 1 / picture.height, 0, 0, 0, 1], toPicture),
    bend,
    turned: turn,
    hasCorners: corners !== null,
  }
}

function withoutRules(image: GreyImage, dpi: number): GreyImage {
  return eraseDashes(eraseRules(image, dpi), dpi)
}

type Sheet = { readonly width: number; readonly height: number; readonly toPicture: Homography }

/** The flat rectangle of the sheet, in pixels of about the picture's size. */
function sheetOf(picture: GreyImage, corners: Corners | null): Sheet {
  if (corners === null) return { width: picture.width, height: picture.height, toPicture: identity }
  const [a, b, c, d] = corners
  const width = Math.max(distance(a, b), distance(d, c))
  const height = Math.max(distance(a, d), distance(b, c))
  return { width, height, toPicture: fromRectangle(width, height, corners) }
}

const previewSide = 1000

// Skew is measured on a small, flat copy.
function preview(picture: GreyImage, sheet: Sheet): GreyImage {
  const factor = Math.max(1, Math.round(Math.max(sheet.width, sheet.height) / previewSide))
  if (sheet.toPicture === identity) return flattenLight(shrink(picture, factor))
  const size = { width: Math.floor(sheet.width / factor), height: Math.floor(sheet.height / factor) }
  return flattenLight(warp(picture, size, compose(sheet.toPicture, scaling(factor))))
}

// Already near enough: resampling would only blur. Very large pages are read coarser instead of not at all.
function limitScale(wanted: number, { width, height }: Sheet): number {
  const near = wanted > 0.85 && wanted < 1.2 ? 1 : Math.min(Math.max(wanted, 0.3), 3)
  return Math.min(near, Math.sqrt(mostPixels / (width * height)))
}

type Levelling = { readonly turn: 0 | 90; readonly degrees: number; readonly scale: number }

/** Turned, levelled and scaled around the middle, on a canvas that cuts nothing off. */
function levelled(
  sheet: Sheet,
  { turn, degrees, scale }: Levelling,
): { size: { width: number; height: number }; toSheet: Homography } {
  const isLevel = Math.abs(degrees) < 0.06
  const turnBy = turn - (isLevel ? 0 : degrees)
  const middle = moving(-sheet.width / 2, -sheet.height / 2)
  const forward = compose(scaling(scale), compose(turning(turnBy), middle))
  const corners: Point[] = [
    [0, 0],
    [sheet.width, 0],
    [sheet.width, sheet.height],
    [0, sheet.height],
  ]
  const reached = corners.map((corner) => apply(forward, corner))
  const left = Math.min(...reached.map(([x]) => x))
  const top = Math.min(...reached.map(([, y]) => y))
  const width = Math.round(Math.max(...reached.map(([x]) => x)) - left)
  const height = Math.round(Math.max(...reached.map(([, y]) => y)) - top)
  const back = compose(moving(sheet.width / 2, sheet.height / 2), compose(turning(-turnBy), scaling(1 / scale)))
  return { size: { width, height }, toSheet: compose(back, moving(left, top)) }
}

function isIdentity(m: Homography): boolean {
  return m.every((value, index) => Math.abs(value - (identity[index] ?? 0)) < 1e-6)
}
