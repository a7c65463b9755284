import sharp from 'sharp'
import { test } from 'tap'
import { bowed } from '../../../../worker/pipeline/read/image/bend.ts'
import type { Bend } from '../../../../worker/pipeline/read/image/bend.ts'
import { cleanRim } from '../../../../worker/pipeline/read/image/clean-edges.ts'
import { eraseDashes } from '../../../../worker/pipeline/read/image/erase-dashes.ts'
import { findSkew } from '../../../../worker/pipeline/read/image/find-skew.ts'
import type { GreyImage } from '../../../../worker/pipeline/read/image/grey-image.ts'
import { identity } from '../../../../worker/pipeline/read/image/homography.ts'
import { invertLightPrint } from '../../../../worker/pipeline/read/image/light-print.ts'
import { unreadShare } from '../../../../worker/pipeline/read/image/unread-print.ts'
import { warp } from '../../../../worker/pipeline/read/image/warp.ts'
import { gradePage } from '../../../../worker/pipeline/read/page-grade.ts'
import { pictureOfText } from '../../../support/picture-of-text.ts'

const words = 'the quick brown fox jumps over a lazy dog while five small wizards judge my box of liquor jugs'.split(
  ' ',
)
const lines = Array.from({ length: 15 }, (_, line) =>
  Array.from({ length: 9 }, (_word, place) => words[(line * 7 + place * (line + 2)) % words.length]).join(' '),
)

async function printed(text: readonly string[], width: number): Promise<GreyImage> {
  const { png } = await pictureOfText(text)
  const { data, info } = await sharp(Buffer.from(png))
    .resize({ width })
    .greyscale()
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data: new Uint8Array(data), width: info.width, height: info.height }
}

function draw(width: number, height: number, brightness: (x: number, y: number) => number): GreyImage {
  const data = Uint8Array.from({ length: width * height }, (_, at) => brightness(at % width, Math.floor(at / width)))
  return { data, width, height }
}

void test('lines that bow are found and drawn straight, and places lead back to the bowed picture', async (t) => {
  const page = await printed(lines, 850)
  const bow: Bend = { even: [0.002, 0.016, 0, 0], growing: [0, 0] }
  const curled = warp(page, page, identity, bow)
  const { bend } = findSkew(curled)
  t.ok(bend !== null, 'it bows')
  if (bend === null) return
  // Drawn with the bow, print moved up by it; straightening brings it back down.
  for (const x of [120, 380, 620]) {
    const moved = bowed(bow, page, [x, 400])[1] - 400
    const found = bowed(bend, page, [x, 400])[1] - 400
    const middle = bowed(bow, page, [380, 400])[1] + bowed(bend, page, [380, 400])[1] - 800
    t.ok(Math.abs(moved + found - middle) < 2, `at ${x}: ${moved} and ${found}`)
  }
  const again = findSkew(warp(curled, page, identity, bend))
  t.ok(again.bendGain < 1.35, 'it bows no more')
})

void test('a level page is not said to bow', async (t) => {
  t.ok(findSkew(await printed(lines, 850)).bendGain < 1.35)
})

void test('light print in a dark bar becomes dark on light, print beside it stays', (t) => {
  const isBar = (x: number, y: number): boolean => x >= 100 && x < 900 && y >= 100 && y < 160
  const isStroke = (x: number, y: number): boolean => x % 40 < 8 && y >= 115 && y < 145
  const page = invertLightPrint(
    draw(1000, 400, (x, y) => {
      if (y >= 250 && y < 280 && x % 40 < 8) return 20
      if (!isBar(x, y)) return 250
      return isStroke(x, y) ? 240 : 70
    }),
    300,
  )
  const at = (x: number, y: number): number => page.data[y * page.width + x] ?? 0
  t.ok(at(420, 130) > 200, 'ground')
  t.ok(at(402, 130) < 60, 'print')
  t.ok(at(102, 102) > 200, 'the corner of the bar')
  t.equal(at(402, 265), 20)
  t.end()
})

void test('dotted rules are taken away, rows of small print are not', async (t) => {
  const dotted = eraseDashes(
    draw(1200, 300, (x, y) => (y >= 150 && y < 155 && x % 20 < 10 ? 60 : 245)),
    300,
  )
  t.ok(dotted.data.every((value) => value > 200))
  const page = await printed(['... --- 1.5 - 2.0 _ a.m. c/o', ...lines], 2550)
  const erased = eraseDashes(page, 300)
  t.equal(page.data.filter((value, at) => value < 128 && (erased.data[at] ?? 0) > 160).length, 0)
})

void test('a dark rim is taken away, a bar of the letterhead stays', (t) => {
  const page = cleanRim(draw(1000, 1000, (x, y) => (x < 12 || (y > 200 && y < 300) ? 30 : 250)))
  const at = (x: number, y: number): number => page.data[y * page.width + x] ?? 0
  t.ok(at(3, 600) > 200)
  t.equal(at(500, 250), 30)
  t.end()
})

void test('print that was left out lowers the grade, whatever the confidence of the rest', (t) => {
  const small = draw(100, 100, (_x, y) => (y % 20 < 3 ? 40 : 250))
  const whole = unreadShare(small, [[0, 0, 800, 800]])
  const half = unreadShare(small, [[0, 0, 800, 300]])
  t.equal(whole, 0)
  t.ok(half > 0.3 && half < 0.9)
  const read = { words: [word], rotation: 0, confidence01: 0.97 } as const
  const looks = { grade: 'good', reason: null } as const
  t.equal(gradePage(looks, { ...read, unread01: 0.01 }).grade, 'good')
  const grade = gradePage(looks, { ...read, unread01: half })
  t.not(grade.grade, 'good')
  t.type(grade.reason, 'string')
  t.end()
})

const word = { text: 'Sodium', confidence01: 0.97, box: [0.1, 0.1, 0.2, 0.12], line: 0, block: 0 } as const
