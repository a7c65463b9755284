/**
 * Contamination, one person's data in another's record, is the worst failure there is. So a file whose printed name or
 * date of birth disagrees with the chosen profile waits for a person. What cannot be compared does not disagree.
 */
import type { FoundDate } from '../document/found-fact.ts'
import { compareBirthDates } from './birth-date.ts'
import { compareNames, type NameLikeness } from './compare-names.ts'
import { parseName, parseProfileName, type PersonName } from './person-name.ts'

export type PrintedIdentity = {
  readonly names: readonly string[]
  readonly birthDates: readonly Pick<FoundDate, 'iso' | 'printed' | 'certainty'>[]
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
  const likenesses = nameLikenesses(printed.names, profile)
  const birth = compareBirthDates(printed.birthDates, profile.dateOfBirth)
  const best = nameOrder.find((likeness) => likenesses.includes(likeness)) ?? 'none'
  const settled = decide(best, birth)
  if ((printed.people ?? 0) > 1 && settled.verdict !== 'reject')
    return { ...settled, verdict: 'review', reasons: ['several_people'] }
  // A second person's label in the file; an equal date of birth outweighs a name that may have been the doctor's.
  const namesOthers = agrees(best) && likenesses.some((likeness) => likeness === 'different')
  if (settled.verdict === 'match' && namesOthers && birth !== 'equal')
    return { ...settled, verdict: 'review', reasons: ['several_people'] }
  return settled
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

function nameLikenesses(printed: readonly string[], profile: ProfileIdentity): NameLikeness[] {
  // The display name may be a pet name; it only counts where there is nothing better.
  const known = profile.fullName === null ? parseProfileName(profile.displayName) : parseName(profile.fullName)
  if (known === null) return []
  return printed
    .map((name) => parseName(name))
    .filter((name): name is PersonName => name !== null)
    .map((name) => compareNames(known, name))
}
