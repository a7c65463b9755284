import sharp from 'sharp'
import { test } from 'tap'
import { loadPdfium, openPage, openPdf } from '../../../../platform/rendering/pdfium.ts'
import { renderBitmap } from '../../../../platform/rendering/render-bitmap.ts'
import { eraseRules } from '../../../../worker/pipeline/read/image/erase-rules.ts'
import { findPage } from '../../../../worker/pipeline/read/image/find-page.ts'
import { findSkew } from '../../../../worker/pipeline/read/image/find-skew.ts'
import { flattenLight } from '../../../../worker/pipeline/read/image/flatten-light.ts'
import type { GreyImage } from '../../../../worker/pipeline/read/image/grey-image.ts'
import { percentile } from '../../../../worker/pipeline/read/image/grey-image.ts'
import { apply } from '../../../../worker/pipeline/read/image/homography.ts'
import { prepareImage } from '../../../../worker/pipeline/read/image/prepare-image.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import { pictureOfText } from '../../../support/picture-of-text.ts'

const words = 'the quick brown fox jumps over a lazy dog while five small wizards judge my box of liquor jugs'.split(
  ' ',
)
const lines = Array.from({ length: 15 }, (_, line) =>
  Array.from({ length: 9 }, (_word, place) => words[(line * 7 + place * (line + 2)) % words.length]).join(' '),
)

async function printedPage(turn = 0): Promise<GreyImage> {
  const { png } = await pictureOfText(lines)
  const { data, info } = await sharp(Buffer.from(png))
    .rotate(turn, { background: 'white' })
    .greyscale()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return { data: new Uint8Array(data), width: info.width, height: info.height }
}

/** A picture whose pixels come from a function of their place. */
function draw(width: number, height: number, brightness: (x: number, y: number) => number): GreyImage {
  const data = Uint8Array.from({ length: width * height }, (_, at) => brightness(at % width, Math.floor(at / width)))
  return { data, width, height }
}

void test('the skew of a page is found to a tenth of a degree', async (t) => {
  for (const degrees of [-2.5, 0, 1.3]) {
    const skew = findSkew(await printedPage(degrees))
    t.equal(skew.isSideways, false)
    t.ok(Math.abs(skew.degrees - degrees) < 0.1, `${degrees}, found ${skew.degrees}`)
  }
})

void test('a page on its side is told from an upright one', async (t) => {
  t.equal(findSkew(await printedPage(90)).isSideways, true)
  t.equal(findSkew(await printedPage(180)).isSideways, false)
})

void test('a table is not taken for a page on its side, though its columns are straighter than its rows', async (t) => {
  const pdfium = await loadPdfium()
  const cells = ['Haemoglobin', '137', 'g/L', '125 - 175', 'within range']
  const rows = Array.from({ length: 44 }, (_, row) =>
    cells.map((text, column) => ({ text, x: 60 + column * 100, y: 720 - row * 14.5, size: 10 })),
  )
  const document = openPdf(pdfium, pdfOfLines([rows.flat()]))
  const page = openPage(document, 0)
  t.ok(page !== null)
  if (page === null) return
  const table = renderBitmap(document, page, { width: 1700, height: 2200, colour: 'grey' })
  const skew = findSkew(table, 'flat')
  t.equal(skew.isSideways, false)
  const turned = draw(table.height, table.width, (x, y) => table.data[x * table.width + table.width - 1 - y] ?? 255)
  t.equal(findSkew(turned, 'flat').isSideways, true)
  page.close()
  document.close()
})

void test('places on the prepared picture lead back to the picture as it came in', async (t) => {
  const picture = await printedPage(2)
  const { image, toPicture } = prepareImage(picture, 200)
  const middle = apply(toPicture, [image.width / 2, image.height / 2])
  t.ok(Math.abs(middle[0] - 0.5) < 0.01 && Math.abs(middle[1] - 0.5) < 0.01)
  t.ok(Math.abs(findSkew(image).degrees) < 0.1, 'it is level')
})

void test('a sheet on a darker ground is found through a shadow, a bare scan has no corners', async (t) => {
  const isSheet = (x: number, y: number): boolean => x > 100 + y * 0.05 && x < 700 && y > 80 && y < 900
  const photo = draw(800, 1000, (x, y) => (isSheet(x, y) ? 220 : 90) * (y > 500 ? 0.45 : 1))
  const corners = findPage(photo)
  t.ok(corners !== null)
  const [topLeft, , bottomRight] = corners ?? []
  t.ok(topLeft !== undefined && Math.abs(topLeft[0] - 104) < 6 && Math.abs(topLeft[1] - 80) < 6)
  t.ok(bottomRight !== undefined && Math.abs(bottomRight[0] - 700) < 6 && Math.abs(bottomRight[1] - 900) < 6)
  t.equal(findPage(await printedPage()), null)
})

void test('a shadowed or faded page becomes dark on white', async (t) => {
  const page = await printedPage()
  const shaded = draw(page.width, page.height, (x, y) => {
    const print = page.data[y * page.width + x] ?? 255
    return (150 + print * 0.3) * (0.6 + (0.4 * x) / page.width)
  })
  const flat = flattenLight(shaded)
  t.ok(percentile(flat.data, 0.2) > 170, 'paper')
  t.ok(percentile(flat.data, 0.003) < 70, 'ink')
})

void test('rules are taken away, also where they cross; letters that touch them stay', async (t) => {
  const isRule = (x: number, y: number): boolean => (y >= 300 && y < 304) || (x >= 500 && x < 504)
  const isStem = (x: number, y: number): boolean => x >= 200 && x < 206 && y >= 270 && y < 320
  const page = eraseRules(
    draw(1000, 600, (x, y) => (isRule(x, y) || isStem(x, y) ? 20 : 240)),
    300,
  )
  const at = (x: number, y: number): number => page.data[y * page.width + x] ?? 0
  t.ok(at(700, 302) > 200 && at(502, 100) > 200 && at(502, 302) > 200)
  t.equal(at(203, 280), 20)
  t.equal(at(203, 302), 20)
})

void test('words of running text are no rules, nor are the feet of figures and capitals', async (t) => {
  const { png } = await pictureOfText(['ZEBRA LEDGE 2222 1222 EEEEEE', '2021-12-22 LIBELLE LLLLLL ZZZZZ', ...lines])
  const { data, info } = await sharp(Buffer.from(png))
    .resize({ width: 2550 })
    .blur(1)
    .greyscale()
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const page: GreyImage = { data: new Uint8Array(data), width: info.width, height: info.height }
  const erased = eraseRules(page, 300)
  const changed = page.data.filter((value, at) => value < 128 && (erased.data[at] ?? 0) > 160).length
  t.equal(changed, 0)
})
