/**
 * Words that were read and found to state nothing of the patient: choices that nobody ticked, what is said of a husband
 * or a friend, and what is said of people in general. No fact comes of them, but they are settled: nobody else may make one of them.
 */
import { addressedToMachines } from './addressed-to-machines.ts'
import { assertionOf, findCues } from './context.ts'
import { findBoxesToTick } from './boxes-to-tick.ts'
import type { Range, Reading } from '../found.ts'
import { generalStatements } from './general-statements.ts'
import { saidOfAnother } from '../people/said-of-another.ts'
import type { Segment } from './segments.ts'

export function rangesRuledOut(reading: Reading): Range[] {
  return [...untickedChoices(reading), ...reading.segments.flatMap(saidOfOthers), ...notOfPatient(reading)]
}

/** Said of people in general, to a machine, or of somebody who stands beside the patient. */
export function notOfPatient(reading: Reading): Range[] {
  return [...generalStatements(reading), ...addressedToMachines(reading), ...saidOfAnother(reading)]
}

function untickedChoices({ document }: Reading): Range[] {
  const { saidIn } = findBoxesToTick(document)
  return document.lines.flatMap(({ start, length }) => {
    const end = start + length
    const said = saidIn([start, end])
    const [only] = said
    if (said.length === 1 && only?.[0] === start && only[1] === end) return []
    return gapsBetween({ start, end }, said).filter((gap) => /\p{L}/u.test(document.text.slice(gap.start, gap.end)))
  })
}

function gapsBetween({ start, end }: Range, said: readonly (readonly [number, number])[]): Range[] {
  const edges = [start, ...said.flat(), end]
  return Array.from({ length: edges.length / 2 }, (_, place) => ({
    start: edges[2 * place] ?? end,
    end: edges[2 * place + 1] ?? end,
  })).filter((gap) => gap.end > gap.start)
}

function saidOfOthers({ kind, tokens }: Segment): Range[] {
  if (kind === 'heading') return []
  const cues = findCues(tokens)
  if (!cues.some(({ effects }) => effects.some(({ category }) => category === 'other-subject'))) return []
  return tokens.flatMap(({ start, end }, place) => {
    const { status } = assertionOf(tokens, cues, { from: place, to: place + 1 })
    return status === 'other' ? [{ start, end }] : []
  })
}
