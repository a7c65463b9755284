/**
 * Headings open sections, which run on over pages until the next one. "Allergies: nil known" opens one too, if its
 * label is a known heading. A heading inside a table names a group of rows and keeps the section around it, unless it
 * is a known one.
 */
import type { LineKind, Section } from '../../../clinical/document/mapped.ts'
import { sectionLikeHeading, sectionOfHeading } from '../../../clinical/terminology/section-headings.ts'
import type { Assembled, AssembledLine } from './assemble-text.ts'

export type Sections = { readonly sections: readonly Section[]; readonly sectionOfLine: readonly number[] }

export function findSections(assembled: Assembled, kinds: readonly LineKind[]): Sections {
  const sections: Opening[] = [{ heading: null, slug: null, firstLine: 0, isInline: false }]
  let enclosing: Heading = { heading: null, slug: null }
  const sectionOfLine = assembled.lines.map((_, index) => {
    const opening = openingAt(assembled, index, kinds)
    const current = sections.at(-1)
    if (opening !== null) {
      if (!opening.isInline) enclosing = opening
      sections.push({ ...opening, firstLine: index })
    } else if (current?.isInline === true && leavesInline(assembled, index, kinds)) {
      sections.push({ ...enclosing, firstLine: index, isInline: false })
    }
    return sections.length - 1
  })
  return {
    sectionOfLine,
    sections: sections.map(({ heading, slug, firstLine }, index) => ({
      heading,
      slug,
      firstLine,
      endLine: sections[index + 1]?.firstLine ?? assembled.lines.length,
    })),
  }
}

type Heading = { readonly heading: string | null; readonly slug: string | null }
type Opening = Heading & { readonly firstLine: number; readonly isInline: boolean }

/** Labels of the patient or the visit stand beside their value and head nothing below them. */
const neverInline = new Set(['patient-details', 'encounter-details', 'care-team', 'payment-and-administrative'])

function openingAt(
  assembled: Assembled,
  index: number,
  kinds: readonly LineKind[],
): (Heading & { isInline: boolean }) | null {
  const line = assembled.lines[index]
  if (line === undefined) return null
  const text = textOfLine(assembled, line)
  if (kinds[index] === 'heading') {
    const slug = sectionOfHeading(text) ?? sectionLikeHeading(text)
    return slug === null && line.table !== null ? null : { heading: text, slug, isInline: false }
  }
  if (kinds[index] !== 'key_value') return null
  const label = text.split(/[:\t]/)[0]?.trim() ?? ''
  const slug = sectionOfHeading(label)
  return slug === null || neverInline.has(slug) ? null : { heading: label, slug, isInline: true }
}

// "Family history: father had a stroke" heads its own lines, not the paragraph after the next gap or label.
function leavesInline(assembled: Assembled, index: number, kinds: readonly LineKind[]): boolean {
  const line = assembled.lines[index]
  const before = assembled.lines[index - 1]
  if (line === undefined || before === undefined || line.page !== before.page) return false
  if (kinds[index] === 'key_value') return true
  if (kinds[index] !== 'text') return false
  const height = before.box[3] - before.box[1]
  return line.box[1] - before.box[3] > 1.2 * height
}

function textOfLine(assembled: Assembled, line: AssembledLine): string {
  return assembled.text.slice(line.start, line.start + line.length).replaceAll('\t', ' ')
}
