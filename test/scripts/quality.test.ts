import { existsSync, readFileSync } from 'node:fs'
import { test } from 'tap'
import { z } from 'zod'
import type { FoundFact } from '../../clinical/document/found-fact.ts'
import { readBaseline, worseCorpus, worseSamples, type CorpusFigures } from '../../scripts/quality/baseline.ts'
import { listStrangers } from '../../scripts/quality/corpus.ts'
import { scoreDocument, scoreSamples, type PrintedFact } from '../../scripts/quality/samples.ts'
import { createLocalOcr } from '../../worker/providers/ocr/index.ts'

void test('what is found on the bundled samples is no worse than the baseline', async (t) => {
  const ocr = createLocalOcr()
  const figures = await scoreSamples(ocr)
  await ocr.close()
  t.strictSame(worseSamples(readBaseline().samples, figures), [])
})

const printed: PrintedFact = {
  document: 'made.pdf',
  type: 'lab_result',
  text: 'Sodium',
  value: '137',
  unit: 'mmol/L',
  reference_range: '135 - 145',
  flag: '',
  frequency: '',
  status: 'present',
  date: '2019-06-25',
}
const found: FoundFact = {
  type: 'lab_result',
  text: 'Sodium',
  status: 'present',
  value: '137',
  unit: 'mmol/L',
  referenceRange: '135 - 145',
  date: { iso: '2019-06-25', printed: '25/06/2019', meaning: 'collected', certainty: 'printed' },
  detail: {},
  concept: null,
  strength: 'strong',
  spans: [{ role: 'name', start: 0, length: 6 }],
  foundBy: { pass: 1, provider: 'local', model: 'rules', promptVersion: null },
}

void test('a fact counts once: whole, in part, missed, or as one that nobody printed', (t) => {
  const outcomes = (facts: readonly FoundFact[]) => scoreDocument([printed], facts).map(({ outcome }) => outcome)
  t.strictSame(outcomes([found]), ['exact'])
  t.strictSame(outcomes([{ ...found, value: '173' }]), ['overlap'])
  t.strictSame(outcomes([{ ...found, value: '173' }, found]), ['exact', 'extra'])
  t.strictSame(outcomes([{ ...found, status: 'negated' }]), ['missed', 'extra'])
  t.strictSame(outcomes([]), ['missed'])
  t.end()
})

void test('a figure of the samples that falls is told', (t) => {
  const was = { lab_result: { printed: 2, overlap: 2, exact: 2, extra: 0 } }
  t.strictSame(worseSamples(was, was), [])
  t.match(worseSamples(was, { lab_result: { printed: 2, overlap: 2, exact: 1, extra: 1 } }), [
    'samples, lab_result: found whole: 2 before, 1 now',
    'samples, lab_result: facts that nobody printed: 0 before, 1 now',
  ])
  t.equal(worseSamples(was, {}).length, 2, 'a type that is not found at all')
  t.end()
})

void test('a figure of the corpus that falls is told, harm at its first case', (t) => {
  const group = { detection: 0.9, core: 0.9, strict: 0.9, box_hit: 0.99, harm: { wrong_person: 0 } }
  const was: CorpusFigures = { ocr: 'native tesseract', groups: { docs: group }, sentences: { all: { right: 0.98 } } }
  const now = (change: Partial<typeof group>) => ({ ...was, groups: { docs: { ...group, ...change } } })
  t.strictSame(worseCorpus(was, was), [])
  t.strictSame(worseCorpus(was, now({ core: 0.897 })), [], 'within the tolerance')
  t.strictSame(worseCorpus(was, now({ core: 0.88 })), ['docs: core: 0.9 before, 0.88 now'])
  t.strictSame(worseCorpus(was, now({ harm: { wrong_person: 1 } })), ['docs: wrong_person: 0 before, 1 now'])
  t.strictSame(worseCorpus(was, { ...was, sentences: { all: { right: 0.9 } } }), [
    'sentences, all: 0.98 before, 0.9 now',
  ])
  t.strictSame(worseCorpus(was, { ...now({ core: 0.1 }), ocr: 'tesseract.js' }), [], 'another engine is not compared')
  t.end()
})

void test('each stranger is there with its truth, and both halves are', (t) => {
  const truthSchema = z.object({ doc: z.string(), facts: z.array(z.object({ type: z.string(), text: z.string() })) })
  const strangers = listStrangers()
  for (const { doc, file, truth } of strangers) {
    t.ok(existsSync(file), file)
    t.equal(truthSchema.parse(JSON.parse(readFileSync(truth, 'utf8'))).doc, doc)
  }
  const halves = [false, true].map((half) => strangers.filter(({ isHeldOut }) => isHeldOut === half).length)
  t.ok(
    halves.every((documents) => documents > 25),
    halves.join(' and '),
  )
  t.end()
})
