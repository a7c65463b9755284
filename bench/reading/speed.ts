import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadPdfium } from '../../platform/rendering/pdfium.ts'
import { findNativeTesseract } from '../../worker/providers/ocr/tesseract-native.ts'
import { barChart } from '../../scripts/plots/bar-chart.ts'
import { median, rotated, rounded } from '../statistics.ts'
import { pdfOfScans, scannedPages, textLayerPdf } from './made-documents.ts'
import type { PageKind } from './made-documents.ts'
import { findPeers } from './peers.ts'
import type { MeasuredDocument, Peer } from './peers.ts'
import type { Answer, Bench, Figure, Question } from './question.ts'
import { atMost } from './question.ts'

type Kind = MeasuredDocument & { readonly name: string; readonly reads: Peer['reads'] }
type Row = {
  readonly kind: string
  readonly reader: string
  readonly pages_per_second: number
  readonly ms_a_page: number
}

const dpi = 200
const skewDegrees = 1.2
const pagesOfScan = 6
const pagesOfText = 100

/** How quickly pages of each kind are read, beside other readers of the same files in the same rounds. */
export const speed: Question = {
  name: 'speed',
  asks: 'wall time a page, by kind of page, beside other readers; start-up of each process counts',
  async answer(bench) {
    const { here, missing } = await findPeers()
    for (const name of missing) bench.say(`${name} is not here and not measured`)
    const kinds = await makeKinds(bench)
    const rows: Row[] = []
    for (const kind of kinds) {
      const readers = [ours, ...here.filter((peer) => peer.reads === kind.reads)]
      for (const row of await measureKind(bench, kind, readers)) {
        bench.say(`${kind.name}: ${row.reader} ${row.ms_a_page} ms a page`)
        rows.push(row)
      }
    }
    return answerOf(rows, missing)
  },
}

const ours: Pick<Peer, 'name' | 'read'> = {
  name: 'exora',
  read: async ({ path }) =>
    void (await promisify(execFile)(process.execPath, [
      join(import.meta.dirname, 'ours-main.ts'),
      path,
      'application/pdf',
    ])),
}

async function makeKinds({ folder }: Bench): Promise<readonly Kind[]> {
  const pdfium = await loadPdfium()
  const textKind = async (kind: PageKind): Promise<Kind> => {
    const path = join(folder, `${kind}s.pdf`)
    await writeFile(path, textLayerPdf(kind, pagesOfText))
    return { name: `${kind}s, text layer`, reads: 'text_layer', path, pageCount: pagesOfText, pictures: [] }
  }
  const scanKind = async (kind: PageKind, pageCount: number): Promise<Kind> => {
    const name = pageCount === 1 ? `one ${kind}, scanned` : `${pageCount} ${kind}s, scanned`
    const scans = await scannedPages(pdfium, textLayerPdf(kind, pageCount), { dpi, skewDegrees })
    const place = (file: string) => join(folder, `${name.replaceAll(/\W+/g, '-')}${file}`)
    const pictures = scans.map((_, index) => place(`-${index + 1}.jpg`))
    await Promise.all(scans.map((scan, index) => writeFile(pictures[index] ?? '', scan)))
    await writeFile(place('.pdf'), await pdfOfScans(scans, dpi))
    return { name, reads: 'scans', path: place('.pdf'), pageCount, pictures }
  }
  return [
    await textKind('letter'),
    await textKind('table'),
    await scanKind('letter', 1),
    await scanKind('table', 1),
    await scanKind('letter', pagesOfScan),
    await scanKind('table', pagesOfScan),
  ]
}

async function measureKind(bench: Bench, kind: Kind, readers: readonly Pick<Peer, 'name' | 'read'>[]): Promise<Row[]> {
  const times = new Map(readers.map(({ name }) => [name, [] as number[]]))
  for (let round = 0; round < bench.rounds; round++) {
    for (const reader of rotated(readers, round)) {
      const started = performance.now()
      await reader.read(kind)
      times.get(reader.name)?.push((performance.now() - started) / kind.pageCount)
    }
  }
  return [...times].map(([reader, samples]) => {
    const ms = median(samples)
    return { kind: kind.name, reader, pages_per_second: rounded(1_000 / ms, 1), ms_a_page: rounded(ms, 1) }
  })
}

function answerOf(rows: readonly Row[], missing: readonly string[]): Answer {
  const scanned = [...new Set(rows.map(({ kind }) => kind))].filter((kind) => kind.includes('scanned'))
  const timeOf = (kind: string, reader: string) => rows.find((row) => row.kind === kind && row.reader === reader)
  const figures = scanned.flatMap((kind): Figure[] => {
    const [mine, alone] = [timeOf(kind, 'exora'), timeOf(kind, 'tesseract alone')]
    if (mine === undefined || alone === undefined) return []
    return [atMost(`${kind}: wall time a page, of tesseract alone`, rounded(mine.ms_a_page / alone.ms_a_page), 1.5)]
  })
  const plots = [
    barChart({
      name: 'speed',
      title: 'Reading scanned pages',
      unit: 'ms of wall time a page (less is better)',
      bars: rows.flatMap(({ kind, reader, ms_a_page: value }) =>
        kind.includes('scanned') ? [{ group: kind, label: reader, value }] : [],
      ),
    }),
    barChart({
      name: 'speed-text-layer',
      title: 'Reading pages with a text layer',
      unit: 'pages/s, start-up included (more is better)',
      bars: rows.flatMap(({ kind, reader, pages_per_second: value }) =>
        kind.includes('text layer') ? [{ group: kind, label: reader, value }] : [],
      ),
    }),
  ]
  const engine = findNativeTesseract() === null ? 'tesseract.js' : 'native tesseract'
  return { figures, table: rows, details: { engine, dpi, skew_degrees: skewDegrees, missing }, plots }
}
