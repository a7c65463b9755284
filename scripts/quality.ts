/**
 * Measures pass 1 by rules on the development corpus and writes docs/quality.md.
 *   node scripts/quality.ts [--corpus FOLDER] [--source read|printed] [--kinds docs,scans,formats,text,structured] [--out docs/quality.md]
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { findFacts } from '../clinical/extraction/find-facts.ts'
import type { Page } from '../clinical/document/page.ts'
import { mapPages } from '../worker/pipeline/map/map-pages.ts'
import { placeFacts } from '../worker/pipeline/place-facts.ts'
import { forRules, withStated } from '../worker/pipeline/stated-facts.ts'
import { createLocalOcr } from '../worker/providers/ocr/index.ts'
import type { OcrProvider } from '../worker/providers/ocr/provider.ts'
import { assertConcept } from './quality/assertions.ts'
import {
  conditionOf,
  findCorpus,
  goldPages,
  isHeldOut,
  kinds,
  listDocuments,
  type CorpusDocument,
} from './quality/corpus.ts'
import { replacePart } from './quality/document-part.ts'
import { readDocument } from './quality/read-document.ts'
import { scoresSchema, writeReport, type RunFigures } from './quality/report.ts'
import { labRowsOf, rowCompleteness, type RowCompleteness } from './quality/row-completeness.ts'
import { scoredFact } from './quality/scored-fact.ts'

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string' },
    source: { type: 'string', default: 'read' },
    kinds: { type: 'string', default: kinds.join(',') },
    out: { type: 'string', default: 'docs/quality.md' },
  },
})

const corpus = findCorpus(options.corpus)
if (corpus === null) console.log('No corpus found (--corpus or CORPUS_DIR): nothing measured.')
else await measure(corpus)

type Scored = { doc: string; facts: ReturnType<typeof scoredFact> }

async function measure(folder: string): Promise<void> {
  const source: RunFigures['source'] = options.source === 'printed' ? 'printed' : 'read'
  const chosen = listDocuments(folder).filter(
    // The words of a scan's truth lie skewed as in the picture; only the reader sets them straight.
    ({ kind }) => options.kinds.split(',').includes(kind) && (source === 'read' || kind !== 'scans'),
  )
  const ocr = createLocalOcr()
  const groups: Record<string, Scored[]> = {}
  const failed: string[] = []
  const rows: Record<string, Pick<RowCompleteness, 'rows' | 'complete'>> = {}
  let pageCount = 0
  let findMs = 0
  for (const document of chosen) {
    const pages = source === 'printed' ? goldPages(document) : await readOrNone(document, ocr, failed)
    pageCount += pages.length
    const mapped = mapPages(pages)
    const started = performance.now()
    const { stated, facts: read } = withStated(mapped, findFacts(forRules(mapped)))
    const facts = [...stated, ...read]
    findMs += performance.now() - started
    addRows(rows, document, rowCompleteness(mapped, labRowsOf(document.truth, document.doc)))
    const group = `${document.kind}, ${document.isHeldOut ? 'held out' : 'tuned on'}`
    groups[group] = [
      ...(groups[group] ?? []),
      {
        doc: document.doc,
        facts: placeFacts(mapped, facts).placed.flatMap((fact) => scoredFact({ mapped, pages }, fact)),
      },
    ]
    console.log(`${document.doc}: ${pages.length} pages, ${facts.length} facts`)
  }
  await ocr.close()
  const figures = { source, pages: pageCount, findMsPerPage: findMs / Math.max(pageCount, 1), failed, rows }
  await replacePart(options.out, 'facts', writeReport(runScorers(folder, groups), figures))
  console.log(`Written: ${options.out}`)
}

function addRows(sums: RunFigures['rows'], document: CorpusDocument, { rows, complete }: RowCompleteness): void {
  if (rows === 0) return
  const condition = conditionOf(document)
  const known = sums[condition] ?? { rows: 0, complete: 0 }
  sums[condition] = { rows: known.rows + rows, complete: known.complete + complete }
}

async function readOrNone(document: CorpusDocument, ocr: OcrProvider, failed: string[]): Promise<Page[]> {
  const pages = await readDocument(document, ocr)
  if (pages === null) failed.push(document.doc)
  return pages ?? []
}

function runScorers(folder: string, groups: Record<string, Scored[]>) {
  const scratch = mkdtempSync(join(tmpdir(), 'quality-'))
  try {
    const files = [join(scratch, 'facts.json'), join(scratch, 'negation.json')] as const
    writeFileSync(files[0], JSON.stringify(groups))
    writeFileSync(files[1], JSON.stringify(assertSentences(folder)))
    const script = join(import.meta.dirname, 'quality/score.py')
    const output = execFileSync('python3', [script, folder, ...files], { encoding: 'utf8', maxBuffer: 50_000_000 })
    return scoresSchema.parse(JSON.parse(output))
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

function assertSentences(folder: string) {
  const lines = readFileSync(join(folder, 'negation/negation.jsonl'), 'utf8').trim().split('\n')
  const sentence = z.object({ id: z.string(), sentence: z.string(), concept: z.string() })
  return lines.map((line) => {
    const { id, sentence: text, concept } = sentence.parse(JSON.parse(line))
    return { id, half: isHeldOut(id) ? 'held out' : 'tuned on', status: assertConcept(text, concept) }
  })
}
