/**
 * Contamination, one person's data in another's record, is the worst failure there is. So a file whose printed name or
 * date of birth disagrees with the chosen profile waits for a person. What cannot be compared does not disagree.
 */
import type { FoundDate } from '../document/found-fact.ts'
import { compareBirthDates } from './birth-date.ts'
import { compareNames, type NameLikeness } from './compare-names.ts'
import { parseName, parseProfileName, shareScript } from './person-name.ts'

export type PrintedName = {
  readonly text: string
  /** `patient`: a label says so. `name`: a label or its form says that it names somebody. `place`: only where it stands. */
  readonly evidence: 'patient' | 'name' | 'place'
  readonly legibility01: number
  readonly pages: readonly number[]
}

export type PrintedIdentity = {
  readonly names: readonly PrintedName[]
  readonly birthDates: readonly (Pick<FoundDate, 'iso' | 'printed' | 'certainty'> & {
    readonly pages: readonly number[]
  })[]
  /** That a file tells apart itself; none or one where it is about one person. */
  readonly people?: number
}

export type ProfileIdentity = {
  readonly fullName: string | null
  readonly displayName: string
  readonly dateOfBirth: string | null
}

/** Stable codes; they are stored and shown, so they hold no content. */
export const identityReasons = ['name_differs', 'name_unclear', 'date_of_birth_differs', 'several_people'] as const
export type IdentityReason = (typeof identityReasons)[number]

export type IdentityVerdict = {
  /** `reject`: nothing agrees. Like `review` it waits for a person, who is told that the file is probably not theirs. */
  readonly verdict: 'match' | 'review' | 'reject'
  readonly reasons: readonly IdentityReason[]
  /** What agreed. `nothing`: there was nothing to compare, so nothing is known either. */
  readonly basis: 'name_and_birth_date' | 'birth_date' | 'name' | 'nothing'
}

type NameAnswer = NameLikeness | 'none'
type BirthAnswer = 'equal' | 'differs' | 'none'

export function compareIdentity(printed: PrintedIdentity, profile: ProfileIdentity): IdentityVerdict {
  const whole = decideOn(printed, profile)
  const isOfSeveral = (printed.people ?? 0) > 1 || (whole.verdict === 'match' && namesOthers(printed, profile))
  if (isOfSeveral && whole.verdict !== 'reject') return { ...whole, verdict: 'review', reasons: ['several_people'] }
  return whole
}

/** Each page says for itself whom it is about: a bundle of two people's papers has a page that is the profile's, too. */
export function pagesOfOthers(
  printed: PrintedIdentity,
  profile: ProfileIdentity,
): ReadonlyMap<number, IdentityVerdict> {
  const all = new Set([...printed.names, ...printed.birthDates].flatMap(({ pages }) => pages))
  return new Map(
    [...all].flatMap((page) => {
      const isHere = ({ pages }: { readonly pages: readonly number[] }) => pages.includes(page)
      const names = printed.names.filter((name) => isHere(name) && name.evidence !== 'place')
      const verdict = decideOn({ names, birthDates: printed.birthDates.filter(isHere) }, profile)
      return verdict.verdict === 'match' || isUnclear(verdict) ? [] : [[page, verdict] as const]
    }),
  )
}

/** An initial on one page of a file that is somebody's for the rest of it. */
const isUnclear = ({ reasons }: IdentityVerdict) => reasons.every((reason) => reason === 'name_unclear')

/** In a file that would match. An equal date of birth outweighs a name that may be the doctor's, but no patient's. */
function namesOthers(printed: PrintedIdentity, profile: ProfileIdentity): boolean {
  const hasBirth = compareBirthDates(printed.birthDates, profile.dateOfBirth) === 'equal'
  const others = printed.names.filter((name) => nameLikenesses([name], profile).some(disagrees))
  const hasOwnName = nameLikenesses(printed.names, profile).some(agrees)
  return (
    others.some(({ evidence }) => evidence === 'patient') ||
    (hasOwnName && !hasBirth && others.length > 0) ||
    pagesOfOthers(printed, profile).size > 0
  )
}

function decideOn(printed: PrintedIdentity, profile: ProfileIdentity): IdentityVerdict {
  const likenesses = nameLikenesses(printed.names, profile)
  const best = nameOrder.find((likeness) => likenesses.includes(likeness)) ?? 'none'
  return decide(best, compareBirthDates(printed.birthDates, profile.dateOfBirth))
}

const nameOrder: readonly NameLikeness[] = ['same', 'partial', 'similar', 'other_family', 'other_given', 'different']

function decide(name: NameAnswer, birth: BirthAnswer): IdentityVerdict {
  const basis = basisOf(name, birth)
  if (disagrees(name)) {
    if (birth === 'differs') return { verdict: 'reject', reasons: ['name_differs', 'date_of_birth_differs'], basis }
    const isStranger = name === 'different' && birth === 'none'
    return { verdict: isStranger ? 'reject' : 'review', reasons: ['name_differs'], basis }
  }
  if (birth === 'differs') return { verdict: 'review', reasons: ['date_of_birth_differs'], basis }
  if (name === 'similar' && birth === 'none') return { verdict: 'review', reasons: ['name_unclear'], basis }
  return { verdict: 'match', reasons: [], basis }
}

const agrees = (name: NameAnswer) => name === 'same' || name === 'partial' || name === 'similar'
const disagrees = (name: NameAnswer) => name === 'other_family' || name === 'other_given' || name === 'different'

function basisOf(name: NameAnswer, birth: BirthAnswer): IdentityVerdict['basis'] {
  if (birth === 'equal') return agrees(name) ? 'name_and_birth_date' : 'birth_date'
  return agrees(name) ? 'name' : 'nothing'
}

function nameLikenesses(printed: readonly PrintedName[], profile: ProfileIdentity): NameLikeness[] {
  // The display name may be a pet name; it only counts where there is nothing better.
  const known = profile.fullName === null ? parseProfileName(profile.displayName) : parseName(profile.fullName)
  if (known === null) return []
  return printed.flatMap(({ text, legibility01 }) => {
    const name = parseName(text)
    // Letters of another script cannot be compared with these.
    return name === null || !shareScript(known, name) ? [] : [compareNames(known, name, legibility01)]
  })
}
