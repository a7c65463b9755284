import { areNicknames } from './nicknames.ts'
import type { PersonName } from './person-name.ts'

/**
 * same: one person's name, but for order, case, marks, middle names or a letter misread.
 * partial: all that could be compared agrees, but it is less than a whole name.
 * similar: could be the same person; a person must look (nicknames, initials, half a double name, two slips).
 * The others say which part differs.
 */
export type NameLikeness = 'same' | 'partial' | 'similar' | 'other_given' | 'other_family' | 'different'

export function compareNames(profile: PersonName, printed: PersonName, legibility01 = 1): NameLikeness {
  if (joined(profile) === joined(printed)) return ofOneGeneration(profile, printed, 'same')
  if (profile.given === null || printed.given === null) return compareLoneName(profile, printed)
  const given = bestLikeness([profile.given], printed.parts)
  const family = familyLikeness(profile, printed)
  if (given === 'none') return givenElsewhere(profile, printed, family)
  if (family === 'none') return 'other_family'
  // "Jayden" and "Hayden" may be twins: only where letters are in doubt is one of them misread.
  if (given === 'close' && legibility01 >= surelyRead01) return 'other_given'
  const whole = wholeName(given, family)
  const isLess = whole === 'same' && (!isInPlace(profile, printed) || haveOtherMiddleNames(profile, printed))
  return ofOneGeneration(profile, printed, isLess ? 'similar' : whole)
}

const surelyRead01 = 0.95

function ofOneGeneration(profile: PersonName, printed: PersonName, likeness: NameLikeness): NameLikeness {
  // A profile may say it and the paper not; a paper that says it means it.
  if (printed.generation === null || printed.generation === profile.generation) return likeness
  return profile.generation === null ? 'similar' : 'other_given'
}

type Likeness = 'same' | 'slip' | 'close' | 'initial' | 'nickname' | 'none'
const order: readonly Likeness[] = ['same', 'slip', 'close', 'nickname', 'initial', 'none']

function wholeName(given: Likeness, family: Likeness): NameLikeness {
  const isSure = (likeness: Likeness) => likeness === 'same' || likeness === 'slip'
  if (isSure(given) && isSure(family)) return 'same'
  // A letter misread in a family name is common; in a given name it may be a brother or a sister (Maria, Mario).
  return given === 'same' && family === 'close' ? 'same' : 'similar'
}

/** "Oliver James Hartley" is not James Hartley: a given name comes first, or next to a family name that leads. */
function isInPlace(profile: PersonName, printed: PersonName): boolean {
  const given = profile.given === null ? [] : [profile.given]
  const isGivenIn = (words: readonly string[]) => opens(given, words) || opens(given, pairs(words.slice(0, 2)))
  const ordered = givenFirst(printed)
  if (isGivenIn(ordered)) return true
  const familyParts = ordered.findIndex((_, place) => !opens(profile.family, ordered.slice(place)))
  if (familyParts < 1) return false
  return isGivenIn(ordered.slice(familyParts)) || (isVietnamese(ordered) && opens(given, ordered.slice(-1)))
}

const opens = (wanted: readonly string[], words: readonly string[]) =>
  bestLikeness(wanted, words.slice(0, 1)) !== 'none'

function givenFirst({ parts, given, family }: PersonName): readonly string[] {
  const place = parts[0] === given ? 0 : family.length
  return [...parts.slice(place), ...parts.slice(0, place)]
}

/** Where a middle name stands between the family name and the given one. */
const isVietnamese = (parts: readonly string[]) => parts.some((part) => vietnameseFamilies.has(part))
const vietnameseFamilies = new Set('nguyen tran le pham huynh hoang phan vu vo dang bui do ho ngo duong ly'.split(' '))

/** Both say middle names, and none of the one could be one of the other. */
function haveOtherMiddleNames(profile: PersonName, printed: PersonName): boolean {
  const named = [profile.given ?? '', ...profile.family]
  const known = profile.parts.filter((part) => !named.includes(part))
  const told = printed.parts.filter((part) => bestLikeness([part], [...named, ...pairs(named)]) === 'none')
  return known.length > 0 && told.length > 0 && bestLikeness(known, told) === 'none'
}

/** "Maria Rossi" and "Anna Maria Rossi": known by a middle name, or somebody else of the family. */
function givenElsewhere(profile: PersonName, printed: PersonName, family: Likeness): NameLikeness {
  if (family === 'none') return 'different'
  const isMiddle = printed.given !== null && bestLikeness([printed.given], profile.parts) === 'same'
  const isFamilyToo = printed.given !== null && profile.family.includes(printed.given)
  return isMiddle && !isFamilyToo ? 'similar' : 'other_given'
}

function compareLoneName(profile: PersonName, printed: PersonName): NameLikeness {
  const [lone, whole] = profile.given === null ? [profile, printed] : [printed, profile]
  const likeness = bestLikeness(lone.parts, whole.parts)
  // "Mr Citizen" is anybody of the family.
  const isFamilyAlone =
    lone === printed && likeness !== 'none' && bestLikeness(lone.parts, withoutFamily(profile)) === 'none'
  if (isFamilyAlone) return 'similar'
  if (likeness === 'same' || likeness === 'slip' || likeness === 'nickname') return 'partial'
  return likeness === 'close' ? 'similar' : 'different'
}

const withoutFamily = ({ parts, family }: PersonName) => parts.filter((part) => !family.includes(part))

function familyLikeness(profile: PersonName, printed: PersonName): Likeness {
  const found = profile.family.map((part) => bestLikeness([part], withoutOne(printed.parts, profile.given)))
  const agreeing = found.filter((likeness) => likeness !== 'none' && likeness !== 'initial')
  if (agreeing.length === 0) return bestLikeness([profile.family.join('')], pairs(printed.parts))
  return agreeing.length === found.length ? worst(agreeing) : 'nickname'
}

/** The part that stands for the given name cannot stand for the family name as well ("Thomas Thomas"). */
function withoutOne(parts: readonly string[], given: string | null): readonly string[] {
  const place = given === null ? -1 : parts.indexOf(given)
  return place < 0 ? parts : parts.toSpliced(place, 1)
}

function bestLikeness(wanted: readonly string[], printed: readonly string[]): Likeness {
  const found = wanted.flatMap((part) => [...printed, ...pairs(printed)].map((other) => partLikeness(part, other)))
  return order.find((likeness) => found.includes(likeness)) ?? 'none'
}

const worst = (found: readonly Likeness[]): Likeness => order.findLast((likeness) => found.includes(likeness)) ?? 'none'

/** "Mac Donald" and "O Brien" are read as two words as often as one. */
const pairs = (parts: readonly string[]) => parts.slice(1).map((part, index) => `${parts[index] ?? ''}${part}`)

const joined = (name: PersonName) => [...name.parts].toSorted().join('')

function partLikeness(a: string, b: string): Likeness {
  if (a === b) return 'same'
  if (a.length === 1 || b.length === 1) return a[0] === b[0] ? 'initial' : 'none'
  if (readAlike(a) === readAlike(b)) return 'slip'
  if (areNicknames(a, b)) return 'nickname'
  const shorter = Math.min(a.length, b.length)
  return shorter >= 5 && editDistance(a, b) <= (shorter >= 9 ? 2 : 1) ? 'close' : 'none'
}

/** Letters that print, fax and OCR take for each other. Digits have already been dropped from names. */
function readAlike(part: string): string {
  return part.replace(/rn/g, 'm').replace(/cl/g, 'd').replace(/vv/g, 'w').replace(/ii/g, 'u').replace(/[ij]/g, 'l')
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const substituted = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substituted, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
