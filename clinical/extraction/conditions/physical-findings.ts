/** Signs that an examination found, or says that it did not find. Normal ones are kept as the statements that they are. */
import type { FoundFact } from '../../document/found-fact.ts'
import type { Cover } from '../../document/places.ts'
import { findSigns, type SignMatch } from '../../terminology/signs.ts'
import { assertionOf, findCues, type Assertion } from '../statements/context.ts'
import { foundDate } from '../statements/dated-context.ts'
import { foundFact, type Reading } from '../found.ts'
import type { Segment } from '../statements/segments.ts'

export function findPhysicalFindings(reading: Reading, taken: Cover): FoundFact[] {
  return reading.segments.flatMap((segment) => {
    if (segment.kind === 'heading' || !isExamination(reading, segment)) return []
    const cues = findCues(segment.tokens)
    return findSigns(reading.document.text, segment.start, segment.end).flatMap((sign) => {
      if (taken.touches(sign)) return []
      const at = {
        from: segment.tokens.findIndex((token) => token.end > sign.start),
        to: segment.tokens.filter((token) => token.start < sign.end).length,
      }
      return findingOf(reading, segment, sign, assertionOf(segment.tokens, cues, at))
    })
  })
}

/** Only there are these words findings: in a history they are complaints, in a plan what to look for. */
function isExamination({ document }: Reading, segment: Segment): boolean {
  if (segment.role.slug === 'examination') return true
  if (segment.role.slug !== null && segment.role.slug !== 'vital-signs') return false
  return /^\s*(?:O\s?[:\t]|O\/E\b|on examination\b|(?:physical )?exam(?:ination)?\s*[:\t])/i.test(
    document.text.slice(segment.start, Math.min(segment.end, segment.start + 30)),
  )
}

function findingOf(reading: Reading, segment: Segment, sign: SignMatch, { status, cue }: Assertion): FoundFact[] {
  const isDenied = status === 'negated'
  const isSaid = status === 'present' || status === 'uncertain' || isDenied
  // "Chest not clear" says that something is there, but not what.
  if (!isSaid || (sign.kind === 'normal' && status !== 'present')) return []
  const date =
    reading.dates.governing(segment.start, ['visit', 'admitted', 'examined']) ??
    reading.dates.governing(segment.start, ['document'])
  return [
    foundFact(reading.document, {
      type: 'physical_finding',
      name: sign,
      status,
      date: date ? foundDate(date, 'visit') : null,
      parts: [['cue', cue]],
      strength: 'fair',
    }),
  ]
}
