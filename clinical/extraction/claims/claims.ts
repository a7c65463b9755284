/**
 * What the rules make of words that somebody else found: a model's claim is read with the same cues, sections and boxes
 * as the rules' own facts. Where the two readings differ, the more cautious one stands, or the claim is objected to.
 */
import type { FactDetail, FactStatus, FactType } from '../../document/found-fact.ts'
import type { MappedDocument } from '../../document/mapped.ts'
import { firstNotBefore, touchedBy } from '../../document/places.ts'
import { findBoxesToTick, type BoxesToTick } from '../statements/boxes-to-tick.ts'
import { findCues, type CueHit } from '../statements/context.ts'
import type { Range, Reading } from '../found.ts'
import { openReading } from '../statements/open-reading.ts'
import { objectionTo } from './claim-objections.ts'
import type { Segment } from '../statements/segments.ts'
import { statusByRules } from './claim-status.ts'
import { readAssertion } from './claim-assertion.ts'

export type Claim = {
  readonly type: FactType
  readonly status: FactStatus
  readonly name: Range
  readonly value: Range | null
  /** Everything else that belongs to it: a cue inside of it is what was measured or told. */
  readonly parts: readonly Range[]
  readonly detail: FactDetail
}

export const objections = [
  'other_person',
  'unticked',
  'denied',
  'not_denied',
  'no_relative',
  'heading',
  'furniture',
  'section',
  'planned',
  'aim',
  'undated',
  'no_name',
] as const
/** Why a claim does not hold; a code, no content. */
export type Objection = (typeof objections)[number]

export type Held = {
  readonly type: FactType
  readonly status: FactStatus
  readonly clinicalStatus: FactDetail['clinicalStatus'] | null
  readonly cue: CueHit | null
}
export type ClaimVerdict = ({ readonly kind: 'held' } & Held) | { readonly kind: 'objected'; readonly why: Objection }

/** One claim with the words around it. */
export type ClaimInPlace = {
  readonly claim: Claim
  readonly reading: Reading
  readonly segment: Segment
  /** Of the segment, without those inside the claim's own parts. */
  readonly cues: readonly CueHit[]
}

export type ClaimReader = {
  readonly reading: Reading
  readonly boxes: BoxesToTick
  readonly segmentAt: (at: number) => Segment | null
  readonly read: (claim: Claim) => ClaimVerdict
}

export function createClaimReader(document: MappedDocument): ClaimReader {
  const reading = openReading(document)
  const { segments } = reading
  const boxes = findBoxesToTick(document)
  const segmentAt = (at: number) => {
    const segment = segments[firstNotBefore(segments, ({ end }) => end <= at)]
    return segment !== undefined && segment.start <= at ? segment : null
  }
  return {
    reading,
    boxes,
    segmentAt,
    read: (claim) => {
      const { start, end } = claim.name
      if (boxes.isUnticked(start)) return objected('unticked')
      if (!/\p{L}{2}|\d/u.test(document.text.slice(start, end))) return objected('no_name')
      const segment = segmentAt(start)
      if (segment === null) return claim.type === 'identity' ? asSaid(claim) : objected(outsideOf(document, start))
      const isOwn = (hit: CueHit) => claim.parts.some((part) => part.start < hit.end && hit.start < part.end)
      const cues = findCues(segment.tokens).filter((hit) => !isOwn(hit))
      return verdictOn({ claim, reading, segment, cues })
    },
  }
}

function verdictOn(place: ClaimInPlace): ClaimVerdict {
  const assertion = readAssertion(place)
  const objection = objectionTo(place, assertion)
  return objection === null ? statusByRules(place, assertion) : objected(objection)
}

function outsideOf(document: MappedDocument, at: number): Objection {
  const [line] = touchedBy(document.lines, { start: at, end: at + 1 })
  return line?.kind === 'table_header' ? 'heading' : 'furniture'
}

const objected = (why: Objection): ClaimVerdict => ({ kind: 'objected', why })
const asSaid = ({ type, status }: Claim): ClaimVerdict => ({
  kind: 'held',
  type,
  status,
  clinicalStatus: null,
  cue: null,
})
