/** Allergies and intolerances with their reactions, and the statement that there are none. */
import type { FoundFact } from '../document/found-fact.ts'
import { findAllergyWords } from '../terminology/allergy-words.ts'
import { readDenial } from './allergy-denials.ts'
import { allergyFact, deniedAllergy, withFurther } from './allergy-fact.ts'
import { listedAllergies, sectionLabel, withoutDoubt } from './allergy-lists.ts'
import { statedAllergies } from './allergy-statements.ts'
import type { Reading } from './found.ts'
import { bare } from './list-items.ts'
import { cellsByRole, hasColumn, type ColumnRole, type Table } from './table-columns.ts'

export function findAllergies(reading: Reading, tables: readonly Table[]): FoundFact[] {
  const rows = tables.filter(isAllergyTable).flatMap((table) => tableAllergies(reading, table))
  const inRows = new Set(rows.flatMap((row) => row.lines))
  const segments = reading.segments.filter((segment) => segment.kind !== 'heading' && !inRows.has(segment.firstLine))
  const found = rows.flatMap((row) => row.facts)
  let isOpen = false
  for (const segment of segments) {
    const printed = reading.document.text.slice(segment.start, segment.end)
    const isListed = segment.role.slug === 'allergies' || sectionLabel.test(printed)
    if (particular.test(printed) && (isListed || isOpen)) {
      const further = withParticular(found.at(-1), printed)
      if (further) found[found.length - 1] = further
      continue
    }
    const facts = isListed ? listedAllergies(reading, segment) : statedAllergies(reading, segment)
    found.push(...facts)
    isOpen = facts.length > 0
  }
  return found
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
