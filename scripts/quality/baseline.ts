/** The figures that must not get worse: kept beside the code, compared on every run, renewed only on purpose. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Scores } from './report.ts'
import type { SampleFigures } from './samples.ts'

const path = join(import.meta.dirname, 'baseline.json')

const sampleSchema = z.object({ printed: z.number(), overlap: z.number(), exact: z.number(), extra: z.number() })
const groupSchema = z.object({
  detection: z.number(),
  core: z.number(),
  strict: z.number(),
  box_hit: z.number().nullable(),
  harm: z.record(z.string(), z.number()),
})
const baselineSchema = z.object({
  samples: z.record(z.string(), sampleSchema),
  corpus: z
    .object({
      /** Two engines read other words; their figures are not compared. */
      ocr: z.string(),
      groups: z.record(z.string(), groupSchema),
      sentences: z.record(z.string(), z.object({ right: z.number() })),
    })
    .nullable(),
})
export type Baseline = z.infer<typeof baselineSchema>
export type CorpusFigures = NonNullable<Baseline['corpus']>

/** What a share may fall by: less than one fact of the smallest group of the corpus is noise of rounding. */
const tolerance = 0.005

export function readBaseline(): Baseline {
  return baselineSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
}

export function writeBaseline(baseline: Baseline): void {
  writeFileSync(path, `${JSON.stringify(baseline, null, 2)}\n`)
}

export function corpusFigures(scores: Scores, ocr: string): CorpusFigures {
  const groups = Object.entries(scores.facts).flatMap(([name, { types, fields, harm }]) => {
    const all = types['ALL']
    if (all === undefined) return []
    const [detection, core, strict] = [all.detection.f1, all.core.f1, all.strict.f1].map(threeDigits)
    return [[name, { detection, core, strict, box_hit: shareOf(fields['bbox hit']?.rate), harm }] as const]
  })
  const sentences = Object.entries(scores.negation).map(([half, { right, sentences: n }]) => [
    half,
    { right: threeDigits(right / n) },
  ])
  return groupsSchema.parse({ ocr, groups: Object.fromEntries(groups), sentences: Object.fromEntries(sentences) })
}

const groupsSchema = baselineSchema.shape.corpus.unwrap()
const threeDigits = (value: number) => Math.round(value * 1_000) / 1_000
const shareOf = (rate: number | null | undefined) => (rate === null || rate === undefined ? null : threeDigits(rate))

/** One line for each figure that is worse than it was; the samples are read without chance, so none of theirs may fall. */
export function worseSamples(was: Baseline['samples'], is: Readonly<Record<string, SampleFigures>>): string[] {
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((type) => {
    const [old, now] = [was[type] ?? none, is[type] ?? none]
    return [
      ...fewer(`samples, ${type}: found whole`, old.exact, now.exact),
      ...fewer(`samples, ${type}: found`, old.overlap, now.overlap),
      ...fewer(`samples, ${type}: facts that nobody printed`, -old.extra, -now.extra),
    ]
  })
}

const none: SampleFigures = { printed: 0, overlap: 0, exact: 0, extra: 0 }

function fewer(name: string, was: number, is: number): string[] {
  return is < was ? [`${name}: ${Math.abs(was)} before, ${Math.abs(is)} now`] : []
}

/** Groups that were not measured in this run are not compared. */
export function worseCorpus(was: CorpusFigures | null, is: CorpusFigures): string[] {
  if (was === null || was.ocr !== is.ocr) return []
  const groups = Object.entries(is.groups).flatMap(([name, now]) => {
    const old = was.groups[name]
    if (old === undefined) return []
    return [
      ...(['detection', 'core', 'strict', 'box_hit'] as const).flatMap((key) =>
        lower(`${name}: ${key.replace('_', ' ')}`, old[key], now[key]),
      ),
      ...Object.entries(now.harm).flatMap(([key, count]) => fewer(`${name}: ${key}`, -(old.harm[key] ?? 0), -count)),
    ]
  })
  const sentences = Object.entries(is.sentences).flatMap(([half, { right }]) =>
    lower(`sentences, ${half}`, was.sentences[half]?.right ?? null, right),
  )
  return [...groups, ...sentences]
}

function lower(name: string, was: number | null, is: number | null): string[] {
  return was !== null && is !== null && is < was - tolerance ? [`${name}: ${was} before, ${is} now`] : []
}
