/** Documents for measuring speed: made here, from a seed, so that nobody needs a corpus for them. */
import sharp from 'sharp'
import { openPage, openPdf } from '../../platform/rendering/pdfium.ts'
import type { PdfDocument, Pdfium } from '../../platform/rendering/pdfium.ts'
import { renderBitmap } from '../../platform/rendering/render-bitmap.ts'
import { createRandom } from '../../scripts/soak/random.ts'
import { pdfOfLines } from '../../test/support/pdf.ts'
import type { PrintedLine } from '../../test/support/pdf.ts'

export type PageKind = 'letter' | 'table'

/** A PDF with a text layer. No two pages are the same. */
export function textLayerPdf(kind: PageKind, pageCount: number): Buffer {
  const drawPage = { letter: letterPage, table: tablePage }[kind]
  return pdfOfLines(Array.from({ length: pageCount }, (_, index) => drawPage(index + 1)))
}

const prose =
  'the patient was seen in clinic today and reports that the cough has settled since the last visit ' +
  'there is no chest pain no fever and no weight loss blood pressure was measured twice and is well controlled on the ' +
  'present dose we have agreed to continue and to repeat the tests in three months at the local laboratory'
const words = prose.split(' ')

function letterPage(page: number): PrintedLine[] {
  const random = createRandom(page, 'page')
  const lines = Array.from({ length: 42 }, () => Array.from({ length: 13 }, () => random.pick(words)).join(' '))
  return [
    { text: `Letter of the measurement, page ${page}`, x: 72, y: 730, font: 'bold', size: 13 },
    ...lines.map((text, row) => ({ text, x: 72, y: 700 - row * 15, size: 11 })),
  ]
}

const tests = [
  'Haemoglobin',
  'Sodium',
  'Potassium',
  'Creatinine',
  'Ferritin',
  'TSH',
  'Glucose (fasting)',
  'ALT',
  'Albumin',
]
const units = ['g/L', 'mmol/L', 'umol/L', 'ug/L', 'mIU/L', 'U/L']
const columns = [
  ['name', 60],
  ['value', 250],
  ['flag', 310],
  ['unit', 350],
  ['range', 450],
] as const

function tablePage(page: number): PrintedLine[] {
  const random = createRandom(page, 'page')
  const heads = { name: 'Test', value: 'Result', flag: 'Flag', unit: 'Unit', range: 'Reference range' }
  const rows = Array.from({ length: 44 }, (_, row) => {
    const low = random.whole(0, 100)
    const value = low + random.whole(0, 60) / 10
    return {
      name: `${tests[row % tests.length]} ${row}`,
      value: value.toFixed(1),
      flag: random.chance(0.1) ? 'H' : '',
      unit: units[row % units.length] ?? '',
      range: `${low} - ${low + 6}`,
    }
  })
  return [
    { text: `Results of the measurement, page ${page}`, x: 60, y: 745, font: 'bold', size: 13 },
    ...cellsOf(heads, 720, 'bold'),
    ...rows.flatMap((row, index) => cellsOf(row, 702 - index * 14.5, 'plain')),
  ]
}

function cellsOf(
  row: Readonly<Record<(typeof columns)[number][0], string>>,
  y: number,
  font: 'plain' | 'bold',
): PrintedLine[] {
  return columns.flatMap(([name, x]) => {
    const text = row[name]
    return text === '' ? [] : [{ text, x, y, font, size: 10 }]
  })
}

export type ScanOptions = { readonly dpi: number; readonly skewDegrees: number }

/** Every page of a PDF as a flatbed would give it: a little skewed, soft, noisy, JPEG. */
export async function scannedPages(pdfium: Pdfium, pdf: Buffer, options: ScanOptions): Promise<Buffer[]> {
  const document = openPdf(pdfium, pdf)
  try {
    const scans: Buffer[] = []
    for (let index = 0; index < document.pageCount; index++) scans.push(await scanOf(document, index, options))
    return scans
  } finally {
    document.close()
  }
}

async function scanOf(document: PdfDocument, index: number, { dpi, skewDegrees }: ScanOptions): Promise<Buffer> {
  const page = openPage(document, index)
  if (page === null) throw new Error(`page ${index + 1} of a made document cannot be opened`)
  const size = { width: Math.round((page.widthPt * dpi) / 72), height: Math.round((page.heightPt * dpi) / 72) }
  const { data } = renderBitmap(document, page, { ...size, colour: 'grey' })
  page.close()
  const skewed = await sharp(data, { raw: { ...size, channels: 1 } })
    .rotate(skewDegrees, { background: '#f4f4f4' })
    .resize({ ...size, fit: 'cover' })
    .blur(0.6)
    .greyscale()
    .raw()
    .toBuffer()
  const random = createRandom(index + 1, 'grain')
  for (let at = 0; at < skewed.length; at++) {
    const noise = random.between(-12, 12)
    skewed[at] = Math.min(255, Math.max(0, (skewed[at] ?? 0) * 0.9 + 10 + noise))
  }
  return await sharp(skewed, { raw: { ...size, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 60 })
    .toBuffer()
}

/** A PDF whose pages are nothing but these grey pictures, as scanners write it. */
export async function pdfOfScans(scans: readonly Buffer[], dpi: number): Promise<Buffer> {
  const parts: Buffer[] = [Buffer.from('%PDF-1.5\n')]
  const offsets: number[] = []
  let length = parts[0]?.length ?? 0
  const add = (...pieces: readonly (string | Buffer)[]) => {
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece
      parts.push(bytes)
      length += bytes.length
    }
  }
  const object = (number: number, ...pieces: readonly (string | Buffer)[]) => {
    offsets[number] = length
    add(`${number} 0 obj\n`, ...pieces, '\nendobj\n')
  }
  const kids = scans.map((_, index) => `${3 + index * 3} 0 R`).join(' ')
  object(1, '<< /Type /Catalog /Pages 2 0 R >>')
  object(2, `<< /Type /Pages /Kids [${kids}] /Count ${scans.length} >>`)
  for (const [index, scan] of scans.entries()) {
    const { width, height, channels } = await sharp(scan).metadata()
    // Drawn as grey, three channels would be a third of the page, stretched.
    if (channels !== 1) throw new Error(`a scan of this document has ${channels} channels`)
    const [widthPt, heightPt] = [(width * 72) / dpi, (height * 72) / dpi]
    const first = 3 + index * 3
    const drawing = `q ${widthPt} 0 0 ${heightPt} 0 0 cm /scan Do Q`
    object(
      first,
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${widthPt} ${heightPt}] /Contents ${first + 1} 0 R
/Resources << /XObject << /scan ${first + 2} 0 R >> >> >>`,
    )
    object(first + 1, `<< /Length ${drawing.length} >>\nstream\n${drawing}\nendstream`)
    object(
      first + 2,
      `<< /Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceGray
/BitsPerComponent 8 /Filter /DCTDecode /Length ${scan.length} >>\nstream\n`,
      scan,
      '\nendstream',
    )
  }
  const start = length
  const entries = offsets.slice(1).map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`)
  add(`xref\n0 ${offsets.length}\n0000000000 65535 f \n`, ...entries)
  add(`trailer\n<< /Size ${offsets.length} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`)
  return Buffer.concat(parts)
}
