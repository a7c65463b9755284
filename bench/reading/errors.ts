import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { listDocuments } from '../../scripts/quality/corpus.ts'
import { readDocument } from '../../scripts/quality/read-document.ts'
import { readPages } from '../../scripts/quality/read-pages.ts'
import { createLocalOcr } from '../../worker/providers/ocr/index.ts'
import { barChart } from '../../scripts/plots/bar-chart.ts'
import { rounded } from '../statistics.ts'
import type { Answer, Figure, Question } from './question.ts'
import { atMost } from './question.ts'

const score = z.object({
  pages: z.number(),
  cer: z.number(),
  cer_boxed: z.number().optional(),
  word_recall_iou50: z.number().optional(),
  mean_iou: z.number().optional(),
})
const scores = z.object({ by: z.record(z.string(), score), docs: z.record(z.string(), score) })
type Score = z.infer<typeof score>

/** Highest character error rates by condition of the table in the specification; other conditions have no goal. */
const goals: Readonly<Record<string, number>> = { s300: 0.01, s200: 0.01, photo: 0.05 }
const mostAboveBaseline = 0.005

/** What is read wrongly, by the corpus' own scorer: by condition, and page by page beside plain tesseract. */
export const errors: Question = {
  name: 'errors',
  asks: 'character error rates by condition of the page, by the scorer of the corpus',
  async answer({ corpus, folder, say }) {
    if (corpus === null) {
      say('no corpus (--corpus FOLDER or CORPUS_DIR): errors are not measured')
      return { figures: [], table: [], details: { measured: false }, plots: [] }
    }
    const ocr = createLocalOcr()
    const outputs: unknown[] = []
    const documents = listDocuments(corpus).filter(({ kind }) => kind === 'docs' || kind === 'scans')
    for (const [index, document] of documents.entries()) {
      const pages = await readDocument(document, ocr)
      outputs.push(readPages(document.doc, pages ?? []))
      say(`${index + 1} of ${documents.length}: ${document.doc}`)
    }
    await ocr.close()
    const output = join(folder, 'read.json')
    writeFileSync(output, JSON.stringify(outputs))
    return answerOf(runScorer(corpus, output), readBaseline(corpus), `${ocr.name} ${ocr.version}`)
  },
}

function runScorer(corpus: string, output: string) {
  const scored = `${output}.scores`
  const script = join(corpus, 'score/score_ocr.py')
  const args = [script, join(corpus, 'truth'), output, '--by', 'condition', '--present-only', '--json', scored]
  execFileSync('python3', args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return scores.parse(JSON.parse(readFileSync(scored, 'utf8')))
}

function readBaseline(corpus: string): Readonly<Record<string, Score>> {
  const path = join(corpus, 'baseline-tesseract.json')
  return z.object({ docs: z.record(z.string(), score) }).parse(JSON.parse(readFileSync(path, 'utf8'))).docs
}

/** Where boxes are known, each word is compared in its place: the order that a table is told in is no error. */
const errorRate = ({ cer, cer_boxed: boxed }: Score) => boxed ?? cer
const percent = (share01: number) => rounded(100 * share01, 2)
const nameOf = (condition: string) => (condition === 'None' || condition === '-' ? 'text layer' : condition)

function answerOf(
  { by, docs }: z.infer<typeof scores>,
  baseline: Readonly<Record<string, Score>>,
  engine: string,
): Answer {
  const table = Object.entries(by).map(([condition, of]) => ({
    condition: nameOf(condition),
    pages: of.pages,
    'error %': percent(errorRate(of)),
    'in reading order %': percent(of.cer),
    'words in place': of.word_recall_iou50 ?? 0,
    'mean IoU': of.mean_iou ?? 0,
  }))
  const worse = Object.entries(docs).flatMap(([doc, of]) => {
    const alone = baseline[doc]
    return alone === undefined ? [] : [{ doc, points: percent(errorRate(of) - errorRate(alone)) }]
  })
  const byCondition = Object.entries(by).flatMap(([condition, of]): Figure[] => {
    const goal = goals[condition]
    return goal === undefined
      ? []
      : [atMost(`character error rate ${condition}, %`, percent(errorRate(of)), 100 * goal)]
  })
  const worst = Math.max(...worse.map(({ points }) => points))
  const bars = table.map(({ condition: label, 'error %': value }) => ({ label, value }))
  return {
    figures: [
      ...byCondition,
      atMost('worst document beside plain tesseract, points of character error rate', worst, 100 * mostAboveBaseline),
    ],
    table,
    details: { measured: true, engine, beside_plain_tesseract: worse },
    plots: [
      barChart({ name: 'errors', title: 'Characters read wrongly', unit: '% of characters (less is better)', bars }),
    ],
  }
}
