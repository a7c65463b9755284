import { test } from 'tap'
import type { Page } from '../../../../clinical/document/page.ts'
import { findFacts } from '../../../../clinical/extraction/find-facts.ts'
import { mapPages } from '../../../../worker/pipeline/map/map-pages.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import type { PdfExtras, PrintedLine } from '../../../support/pdf.ts'
import { readBytes } from '../../../support/read-bytes.ts'

const list: readonly PrintedLine[] = [
  { text: 'Current medications', x: 72, y: 700, font: 'bold', size: 14 },
  { text: 'Warfarin 5 mg daily', x: 72, y: 670 },
  { text: 'Metformin 500 mg twice daily', x: 72, y: 655 },
]

async function readPage(lines: readonly PrintedLine[], extras: PdfExtras = {}): Promise<Page> {
  const [page] = await readBytes(pdfOfLines([lines], extras), 'application/pdf')
  if (page === undefined) throw new Error('a page was not read')
  return page
}

const struckIn = ({ words }: Page): string =>
  words
    .filter(({ isStruck }) => isStruck === true)
    .map(({ text }) => text)
    .join(' ')

/** Where some words of the list stand, in points. */
async function endsOf(...texts: string[]): Promise<readonly [left: number, right: number]> {
  const { words, widthPt } = await readPage(list)
  const boxes = words.filter(({ text }) => texts.includes(text)).map(({ box }) => box)
  return [Math.min(...boxes.map((box) => box[0])) * widthPt, Math.max(...boxes.map((box) => box[2])) * widthPt]
}

const struckWhere = async (drawnOver: string, lines = list) => struckIn(await readPage(lines, { drawnOver }))

void test('a line through words strikes them out, however it is drawn', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const width = right - left
  const whole = 'Warfarin 5 mg daily'
  const ways = {
    'a slim rectangle': `0 g ${left} 672.8 ${width} 0.6 re f`,
    'a stroke': `0.7 w ${left} 673 m ${right} 673 l S`,
    'a stroke from right to left, beyond the words': `1 w ${right + 9} 673 m ${left - 9} 673 l S`,
    'two strokes': `0.4 w ${left} 672.3 m ${right} 672.3 l ${left} 674 m ${right} 674 l S`,
    'a red stroke in a space of its own': `q 1 0 0 RG 0.5 0 0 0.5 0 0 cm 1.4 w ${2 * left} 1346 m ${2 * right} 1346 l S Q`,
    'a stroke by hand': `1 w ${left} 672 m ${left + 30} 674.4 ${left + 50} 672.6 ${right + 3} 674.8 c S`,
    'a box of its own': `0.3 w ${left} 672.8 ${width} 0.5 re S`,
  }
  for (const [way, drawn] of Object.entries(ways)) t.equal(await struckWhere(drawn), whole, way)
})

void test('words are struck out one by one', async (t) => {
  const [left, right] = await endsOf('500', 'mg').then(([, end]) =>
    endsOf('500').then(([start]) => [start, end] as const),
  )
  t.equal(await struckWhere(`0.7 w ${left} 658 m ${right} 658 l S`), '500 mg')
  const [from, to] = await endsOf('Warfarin')
  t.equal(
    await struckWhere(`0 g ${from} 672.8 ${to - from} 0.6 re ${left} 657.8 ${right - left} 0.6 re f`),
    'Warfarin 500 mg',
  )
  const half = (from + to) / 2
  t.equal(await struckWhere(`0.7 w ${from} 673 m ${half} 673 l S`), '', 'half a word is not struck out')
  t.equal(await struckWhere(`0.7 w ${from} 673 m ${half} 673 l S 0.7 w ${half} 673 m ${to} 673 l S`), 'Warfarin')
})

void test('a mark of that kind strikes words out, whoever draws it', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const marked = async (entries: string) => {
    const quad = `[${left} 681 ${right} 681 ${left} 667 ${right} 667]`
    const objects = {
      100: `<< /Type /Annot /Rect [${left} 667 ${right} 681] /QuadPoints ${quad} /C [1 0 0] ${entries} >>`,
    }
    return struckIn(await readPage(list, { pageEntries: '/Annots [100 0 R]', objects }))
  }
  t.equal(await marked('/Subtype /StrikeOut /F 4'), 'Warfarin 5 mg daily')
  t.equal(await marked('/Subtype /StrikeOut /F 2'), '', 'one that is hidden does not')
  t.equal(await marked('/Subtype /Highlight /F 4'), '')
  t.equal(await marked('/Subtype /Underline /F 4'), '')
  t.equal(await marked('/Subtype /Squiggly /F 4'), '')
})

void test('a stroke that was put over the page with another program strikes out', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const ink = `q 1 0 0 RG 1 w ${left} 673 m ${right} 673.5 l S Q`
  const text = await readPage(list, {
    pageEntries: '/Annots [100 0 R]',
    objects: {
      100: `<< /Type /Annot /Subtype /Ink /F 4 /Rect [${left} 660 ${right} 685] /InkList [[${left} 673 ${right} 673]] /AP << /N 101 0 R >> >>`,
      101: `<< /Type /XObject /Subtype /Form /BBox [${left} 660 ${right} 685] /Length ${ink.length} >>\nstream\n${ink}\nendstream`,
    },
  })
  t.equal(struckIn(text), 'Warfarin 5 mg daily')
})

void test('a page that is shown turned, and lines that run up it, are struck out as well', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const page = await readPage(list, { pageEntries: '/Rotate 90', drawnOver: `1 w ${left} 673 m ${right} 673 l S` })
  t.equal(struckIn(page), 'Warfarin 5 mg daily')
  const upwards = { text: 'Ramipril', x: 0, y: 0, operators: '0 1 -1 0 300 300 cm' }
  const turned = await readPage([{ ...upwards, operators: 'ET q 0 1 -1 0 300 300 cm BT' }], {
    drawnOver: 'Q 1 w 297 300 m 297 345 l S',
  })
  t.equal(struckIn(turned), 'Ramipril')
})

void test('a table row is struck out by one line from its first word to its last', async (t) => {
  const row = ['Warfarin', '5 mg', 'daily', 'Dr Lee'].map((text, column) => ({ text, x: 72 + 120 * column, y: 600 }))
  t.equal(await struckWhere('1 w 70 603 m 470 603 l S', row), 'Warfarin 5 mg daily Dr Lee')
})

void test('underlines, rules, frames, bars and lines of forms strike nothing out', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const width = right - left
  const none = {
    'an underline': `0.7 w ${left} 668.5 m ${right} 668.5 l S`,
    'an underline close to the letters': `0 g ${left} 669 ${width} 0.8 re f`,
    'the line of a form that the words stand on': `0.5 w ${left} 670.3 m ${right + 80} 670.3 l S`,
    'an overline': `0.7 w ${left} 679.5 m ${right} 679.5 l S`,
    'a frame': `0.7 w ${left - 3} 666 ${width + 6} 15 re S`,
    'a marker': `/pale gs 1 1 0 rg ${left} 668 ${width} 11 re f`,
    'a white line': `1 G 0.7 w ${left} 673 m ${right} 673 l S`,
    'a line across the page that meets the words by chance': '0.5 w 20 673 m 590 673 l S',
    'a line of a chart between two words': `0.7 w ${right + 5} 673 m ${right + 90} 673 l S`,
    'a line downwards': `0.7 w ${left + 20} 600 m ${left + 20} 720 l S`,
    'a line that crosses': `0.7 w ${left} 600 m ${right} 720 l S`,
  }
  const pageEntries = '/Resources << /Font << /plain 3 0 R /bold 4 0 R >> /ExtGState << /pale << /ca 0.3 >> >> >>'
  for (const [what, drawnOver] of Object.entries(none))
    t.equal(struckIn(await readPage(list, { drawnOver, pageEntries })), '', what)
})

void test('ruled paper and grids that run through words by chance strike nothing out', async (t) => {
  const lines = Array.from({ length: 12 }, (_, row) => ({
    text: 'The patient was seen today with her daughter and was well, she takes no medicines',
    x: 72,
    y: 700 - 13 * row,
  }))
  const ruled = Array.from({ length: 10 }, (_, row) => `72 ${703 - 20 * row} m 480 ${703 - 20 * row} l S`).join(' ')
  t.equal(await struckWhere(`0.4 w ${ruled}`, lines), '')
})

void test('a black bar hides words, it does not strike them out', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const page = await readPage(list, { drawnOver: `0 g ${left - 2} 666 ${right - left + 4} 16 re f` })
  t.notMatch(page.words.map(({ text }) => text).join(' '), /Warfarin/)
  t.equal(struckIn(page), '')
})

void test('a medicine that is struck out of a list was stopped, and one that is underlined is taken', async (t) => {
  const [left, right] = await endsOf('Warfarin', 'daily')
  const statusOf = async (drawnOver: string) =>
    findFacts(mapPages([await readPage(list, { drawnOver })])).facts.map(({ text, detail }) => [
      text,
      detail.clinicalStatus,
    ])
  t.same(await statusOf(`0.7 w ${left} 673 m ${right} 673 l S`), [
    ['Warfarin', 'stopped'],
    ['Metformin', 'active'],
  ])
  t.same(await statusOf(`0.7 w ${left} 668.5 m ${right} 668.5 l S`), [
    ['Warfarin', 'active'],
    ['Metformin', 'active'],
  ])
})
