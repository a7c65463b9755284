/** docs/quality.md from the scorers' figures. */
import { z } from 'zod'
import { barChart, type Plot } from '../plots/bar-chart.ts'

const scoreSchema = z.object({ p: z.number(), r: z.number(), f1: z.number(), tp: z.number(), fn: z.number() })
const groupSchema = z.object({
  documents: z.number(),
  types: z.record(z.string(), z.object({ detection: scoreSchema, core: scoreSchema, strict: scoreSchema })),
  fields: z.record(z.string(), z.object({ rate: z.number().nullable(), n: z.number() })),
  negation_accuracy: z.number().nullable(),
  negated_gold: z.object({ total: z.number(), emitted_as_negated: z.number(), omitted: z.number() }),
  harm: z.record(z.string(), z.number()),
})
export const scoresSchema = z.object({
  facts: z.record(z.string(), groupSchema),
  negation: z.record(
    z.string(),
    z.object({
      sentences: z.number(),
      right: z.number(),
      emitted: z.number(),
      true: z.number(),
      recall: z.record(z.string(), z.tuple([z.number(), z.number()])),
    }),
  ),
})
export type Scores = z.infer<typeof scoresSchema>
type Group = z.infer<typeof groupSchema>

export type RunFigures = {
  readonly source: 'read' | 'printed'
  readonly pages: number
  readonly findMsPerPage: number
  readonly failed: readonly string[]
  /** Lab rows of the truth by condition, and how many of them mapping hands on whole. */
  readonly rows: Record<string, { rows: number; complete: number }>
}

const harms = [
  ['denied_asserted', 'denied, but asserted'],
  ['wrong_person', 'another person'],
  ['said_of_others', 'of others in a letter'],
  ['never_so', 'never so'],
  ['wrong_unit', 'wrong unit'],
  ['wrong_date', 'wrong date'],
  ['wrong_value', 'wrong value'],
  ['missing_unit', 'unit left out'],
  ['missing_date', 'date left out'],
] as const

/** The part of docs/quality.md that tells how well facts are found. */
export function writeReport(scores: Scores, figures: RunFigures): string[] {
  const groups = Object.entries(scores.facts)
  return [
    '## How well facts are found',
    '',
    'Written by `npm run quality`. Measured on the development corpus with its own scorers.',
    figures.source === 'read'
      ? 'Every file went through the real reader (text layer or OCR), mapping and pass 1 by rules.'
      : 'The printed words of the truth went straight into mapping and pass 1 by rules: this leaves out all faults of reading.',
    'About two thirds of the documents were looked at while the rules were written ("tuned on"). The others were',
    'held out by a hash of their name, fixed beforehand: while the rules were written only these sums of them were looked at,',
    'neither their text nor their single errors. The sums were looked at several times and told where to search.',
    'Held-out documents share their makers and patients with the others, so both figures flatter.',
    '"Strangers" do not: some seventy documents of as many makers (`test/fixtures/strangers`), written by somebody who had not',
    'read the rules, full of what must not be taken for a fact. Only they count what is said of others or was never so',
    '(offers, risks, instructions, tests not done), and they are the figure to go by for a file that nobody has seen.',
    '',
    `${figures.pages} pages; finding took ${figures.findMsPerPage.toFixed(1)} ms a page.`,
    ...(figures.failed.length > 0 ? [`Not read, and counted as wholly missed: ${figures.failed.join(', ')}.`] : []),
    '',
    '![F1 of facts with their values, by kind of document](quality-facts.svg)',
    '',
    '### Sums',
    '',
    'Detection: name and polarity. Core: also the value. Strict: also unit, date and status.',
    '',
    '| documents | n | facts | precision | recall | detection F1 | core F1 | strict F1 | box hit | mean IoU | negation |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...groups.map(([name, group]) => sumRow(name, group)),
    '',
    '### Harm (must be 0)',
    '',
    `| documents | ${harms.map(([, title]) => title).join(' | ')} |`,
    `|---|${harms.map(() => '---|').join('')}`,
    ...groups.map(([name, { harm }]) => `| ${name} | ${harms.map(([key]) => harm[key] ?? 0).join(' | ')} |`),
    '',
    'The last two columns are gaps, not harm. A wrong value or date of a scan is mostly a figure misread by OCR; the held-out ones were not traced.',
    '',
    '### Lab rows',
    '',
    'Name, value, unit, range and flag of one row in the cells of one mapped row.',
    '',
    '| documents | rows | complete |',
    '|---|---|---|',
    ...Object.entries(figures.rows).map(
      ([name, { rows, complete }]) => `| ${name} | ${rows} | ${rate(complete, rows)} |`,
    ),
    '',
    '### By type',
    '',
    '| documents | type | facts | precision | recall | detection F1 | core F1 | strict F1 |',
    '|---|---|---|---|---|---|---|---|',
    ...groups.flatMap(([name, group]) => typeRows(name, group)),
    '',
    '### Single sentences (994, one concept each)',
    '',
    '| sentences | n | negation accuracy | negated precision | negated recall | historical recall | family recall |',
    '|---|---|---|---|---|---|---|',
    ...Object.entries(scores.negation).map(([name, half]) => negationRow(name, half)),
    '',
    'About half of the "historical" sentences are a bare term ("HYPERLIPIDEMIA.") that only its section, which is not given,',
    'could tell to be past; the family sentences are too few to say much.',
  ]
}

/** Core F1 of all facts, by kind of document. */
export function drawScores(scores: Scores): Plot {
  return barChart({
    name: 'quality-facts',
    title: 'Facts found with name, polarity and value',
    unit: 'core F1 (more is better)',
    bars: Object.entries(scores.facts).flatMap(([label, { types }]) => {
      const all = types['ALL']
      return all === undefined ? [] : [{ label, value: all.core.f1 }]
    }),
  })
}

function sumRow(name: string, group: Group): string {
  const all = group.types['ALL']
  const field = (key: string) => figure(group.fields[key]?.rate ?? null)
  if (!all) return `| ${name} | ${group.documents} | 0 | | | | | | | | |`
  const { detection, core, strict } = all
  const cells = [detection.p, detection.r, detection.f1, core.f1, strict.f1].map(figure)
  return `| ${name} | ${group.documents} | ${detection.tp + detection.fn} | ${cells.join(' | ')} | ${field('bbox hit')} | ${field('bbox mean IoU')} | ${figure(group.negation_accuracy)} |`
}

function typeRows(name: string, group: Group): string[] {
  return Object.entries(group.types)
    .filter(([type]) => type !== 'ALL')
    .map(([type, { detection, core, strict }]) => {
      const cells = [detection.p, detection.r, detection.f1, core.f1, strict.f1].map(figure)
      return `| ${name} | ${type} | ${detection.tp + detection.fn} | ${cells.join(' | ')} |`
    })
}

function negationRow(name: string, half: Scores['negation'][string]): string {
  const recall = (status: string) => rate(...(half.recall[status] ?? [0, 0]))
  return `| ${name} | ${half.sentences} | ${rate(half.right, half.sentences)} | ${rate(half.true, half.emitted)} | ${recall('negated')} | ${recall('historical')} | ${recall('family')} |`
}

function rate(part: number, whole: number): string {
  return figure(whole === 0 ? null : part / whole)
}

function figure(value: number | null): string {
  return value === null ? '' : value.toFixed(3)
}
