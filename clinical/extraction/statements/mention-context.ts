/** What finders of conditions and procedures share. */
import type { FactDetail } from '../../document/found-fact.ts'
import type { DocumentClass } from '../../document/mapped.ts'
import { lateralityWords } from '../conditions/condition-words.ts'
import { findCues, type CueHit } from './context.ts'
import type { Reading } from '../found.ts'
import { withReferents } from '../people/pronoun-referents.ts'
import type { SectionRole } from './section-role.ts'
import type { Segment } from './segments.ts'

/** Sections whose lines are items, not prose. */
export const listSections = new Set([
  'problem-list',
  'past-medical-history',
  'discharge-diagnosis',
  'reason-for-admission',
  'complications',
  'past-surgical-history',
  'procedures',
  'assessment',
  'assessment-and-plan',
  'presenting-complaint',
])

/** Documents that state no diagnosis outside of a section for it. */
export const speaksOfOthers: ReadonlySet<DocumentClass> = new Set([
  'lab_report',
  'prescription',
  'medication_list',
  'immunization_record',
  'administrative',
])

export type MentionContext = { readonly reading: Reading; readonly segment: Segment; readonly cues: readonly CueHit[] }

/** The cues of a sentence, knowing of whom the one before it speaks. */
export function cuesOf(segments: readonly Segment[], place: number): readonly CueHit[] {
  const [before, segment] = [segments[place - 1], segments[place]]
  if (segment === undefined) return []
  const isSame = before !== undefined && before.kind !== 'heading' && before.role.slug === segment.role.slug
  return withReferents(segment.tokens, findCues(segment.tokens), isSame ? before.tokens : [])
}

/** "Working diagnosis", "Differential": what stands under it is what may be. */
export function isProvisional({ heading }: SectionRole): boolean {
  return /\b(?:working|provisional|differentials?|possible|suspected|query|presumptive|ddx|dd)\b/i.test(heading ?? '')
}

export function laterality(printed: string): FactDetail {
  const side = lateralityWords.exec(printed)?.[1]
  return side ? { laterality: side.toLowerCase() } : {}
}
