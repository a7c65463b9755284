/** Allergies and intolerances with their reactions, and the statement that there are none. */
import type { FoundFact } from '../../document/found-fact.ts'
import { findAllergyWords } from '../../terminology/allergy-words.ts'
import { kindOfDenial, readDenial } from './allergy-denials.ts'
import { allergyFact, deniedAllergy, kindOfAllergen, withFurther } from './allergy-fact.ts'
import { withoutDoubt } from './allergy-doubt.ts'
import { answerLabel, listedAllergies, sectionLabel } from './allergy-lists.ts'
import { toldReactions } from './allergy-reactions.ts'
import { statedAllergies } from './allergy-statements.ts'
import type { Reading } from '../found.ts'
import { bare } from '../statements/list-items.ts'
import type { Segment } from '../statements/segments.ts'
import { cellsByRole, hasColumn, type ColumnRole, type Table } from '../statements/table-columns.ts'

export function findAllergies(reading: Reading, tables: readonly Table[]): FoundFact[] {
  const rows = tables.filter(isAllergyTable).flatMap((table) => tableAllergies(reading, table))
  const inRows = new Set(rows.flatMap((row) => row.lines))
  const segments = reading.segments.filter((segment) => segment.kind !== 'heading' && !inRows.has(segment.firstLine))
  const found = rows.flatMap((row) => row.facts)
  let isOpen = false
  let isAsked = false
  for (const segment of segments) {
    const printed = reading.document.text.slice(segment.start, segment.end)
    const isAnswer: boolean = isAsked && answerLabel.test(printed)
    isAsked = asks.test(printed) || (isAsked && isAnswer)
    const isListed = segment.role.slug === 'allergies' || sectionLabel.test(printed) || isAnswer
    if (particular.test(printed) && (isListed || isOpen)) {
      const further = withParticular(found.at(-1), printed)
      if (further) found[found.length - 1] = further
      continue
    }
    const cell = isListed ? null : labelledCell(reading, segment)
    const facts = cell
      ? listedAllergies(reading, cell)
      : isListed
        ? listedAllergies(reading, segment)
        : statedAllergies(reading, segment)
    const told = toldReactions(reading, segment).filter((fact) => !facts.some((other) => overlaps(fact, other)))
    found.push(...facts, ...told)
    isOpen = facts.length > 0
  }
  return withoutContradicted(found)
}

/** "Do you have any allergies? Yes", "If yes, please list: penicillin": the answer stands behind a label of its own. */
const asks = /\ballerg\w*[^.]{0,40}\?|\ballerg\w*[^.\n]*$/i
/** "Resident: D. Fixture | Allergies: codeine": the label opens a later cell of the line. */
function labelledCell(reading: Reading, segment: Segment): Segment | null {
  const printed = reading.document.text.slice(segment.start, segment.end)
  for (const tab of printed.matchAll(/\t/g)) {
    const start = segment.start + tab.index + 1
    const end = reading.document.text.indexOf('\t', start)
    const to = end < 0 || end > segment.end ? segment.end : end
    if (sectionLabel.test(reading.document.text.slice(start, to)))
      return {
        ...segment,
        kind: 'pair',
        start,
        end: to,
        tokens: segment.tokens.filter((token) => token.start >= start && token.end <= to),
      }
  }
  return null
}

function overlaps(fact: FoundFact, other: FoundFact): boolean {
  const [own, theirs] = [fact.spans[0], other.spans[0]]
  return (
    own !== undefined &&
    theirs !== undefined &&
    own.start < theirs.start + theirs.length &&
    theirs.start < own.start + own.length
  )
}

/** "NKDA" beside "erythromycin (rash)": what is named outweighs that there was nothing of its kind. */
function withoutContradicted(facts: readonly FoundFact[]): FoundFact[] {
  const kinds = new Set(facts.flatMap((fact) => (fact.status === 'present' ? [kindOfAllergen(fact)] : [])))
  return facts.filter((fact) => {
    if (fact.status !== 'negated' || fact.concept !== null) return true
    const denied = kindOfDenial(fact.text)
    return denied === 'any' ? kinds.size === 0 : !kinds.has(denied)
  })
}

/** "Drug | Reaction" lists allergies too, as long as nobody says how to take it. */
function isAllergyTable(table: Table): boolean {
  if (hasColumn(table, 'allergen')) return !hasColumn(table, 'medicine', 'test')
  return hasColumn(table, 'medicine') && hasColumn(table, 'reaction') && !hasColumn(table, 'directions', 'frequency')
}

/** "Reaction: rash", "Severity: moderate" on a line of its own is about the allergy above it. */
const particular = /^\W*(?:reactions?|severity|manifestations?|criticality|onset|status|verified|comments?|notes?)\s*:/i

function withParticular(last: FoundFact | undefined, printed: string): FoundFact | null {
  if (!last || last.status === 'negated' || !/^\W*(?:reac|sever|manif)/i.test(printed)) return null
  return withFurther(last, printed.replace(/^[^:]*:\s*/, '').replace(/[.\s]+$/, ''))
}

function tableAllergies(reading: Reading, table: Table): { facts: readonly FoundFact[]; lines: number[] }[] {
  const text = reading.document.text
  return table.rows.flatMap(({ line, place }) => {
    const cells = cellsByRole(table, line)
    const cell = cells.get('allergen') ?? cells.get('medicine')
    if (!cell) return []
    const whole = bare(text, { start: cell.start, end: cell.start + cell.length })
    const denial = readDenial(reading, whole, 'section')
    if (denial && !denial.exceptions) return [{ facts: denial.facts, lines: [place] }]
    const part = (role: ColumnRole) => {
      const found = cells.get(role)
      return found ? { start: found.start, end: found.start + found.length } : null
    }
    const state = part('status')
    const said = state ? text.slice(state.start, state.end) : ''
    if (findAllergyWords(said, 'disproved').length > 0)
      return [{ facts: [deniedAllergy(reading, whole)], lines: [place] }]
    const { name, status } = withoutDoubt(text, whole)
    const isUnsure = status === 'uncertain' || findAllergyWords(said, 'uncertain').length > 0
    const fact = allergyFact(reading, name, {
      reaction: part('reaction'),
      severity: part('severity'),
      status: isUnsure ? 'uncertain' : 'present',
    })
    return fact ? [{ facts: [fact], lines: [place] }] : []
  })
}
