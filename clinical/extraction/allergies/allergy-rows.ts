/** Rows of allergies that no heading of columns explains: "Penicillin | Anaphylaxis | Severe | 12/05/1998". */
import type { FoundFact } from '../../document/found-fact.ts'
import { readDenial } from './allergy-denials.ts'
import { allergyFact, namesReaction, severityAlone, substanceIn } from './allergy-fact.ts'
import { withoutDoubt } from './allergy-doubt.ts'
import type { Range, Reading } from '../found.ts'
import { bare } from '../statements/list-items.ts'
import type { Segment } from '../statements/segments.ts'

/** null: no such row. */
export function allergiesInRow(reading: Reading, segment: Segment): FoundFact[] | null {
  const text = reading.document.text
  const cells = cellsOf(text, segment)
  if (cells.length < 2) return null
  const [first, ...others] = cells
  const isSubstance = ({ start, end }: Range) => substanceIn(text.slice(start, end)) !== null
  const named = cells.find(isSubstance) ?? (others.some((cell) => saysWhatHappened(text, cell)) ? first : undefined)
  if (!named) return null
  if (others.some((cell) => cell !== named && isSubstance(cell))) return null
  const rest = cells.filter((cell) => cell !== named)
  const denial = readDenial(reading, named, 'section')
  if (denial) return denial.exceptions ? null : [...denial.facts]
  const { name, status } = withoutDoubt(text, named)
  const fact = allergyFact(reading, name, {
    reaction: rest.find((cell) => saysWhatHappened(text, cell)) ?? null,
    severity: rest.find(({ start, end }) => severityAlone.test(text.slice(start, end))) ?? null,
    status,
  })
  return fact ? [fact] : []
}

const saysWhatHappened = (text: string, { start, end }: Range) => namesReaction(text.slice(start, end))

function cellsOf(text: string, { start, end }: Range): Range[] {
  const printed = text.slice(start, end)
  const cuts = [-1, ...Array.from(printed.matchAll(/\t/g), (tab) => tab.index), printed.length]
  return cuts
    .slice(1)
    .map((to, place) => bare(text, { start: start + (cuts[place] ?? 0) + 1, end: start + to }))
    .filter((cell) => /\p{L}{2}/u.test(text.slice(cell.start, cell.end)))
}
