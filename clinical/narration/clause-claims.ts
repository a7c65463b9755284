/**
 * What a clause claims by its few words beside what is printed: of which kind a thing is, which part of it stands there, and
 * whether it is so. "Allergy to metformin", "not denied" or "recorded without date" hold no word that is not harmless alone.
 */
import { statusOfCue, type ToldStatus } from './narrative-words.ts'
import type { RecordedEvent } from './recorded-event.ts'

export type PartKind = 'name' | 'indication' | 'value' | 'range' | 'flag' | 'reaction' | 'date' | 'detail'
/** Printed words of events, and how each of them has them. */
export type Part = ReadonlyMap<RecordedEvent, ReadonlySet<PartKind>>
export type Clause = {
  /** In their order: words in small letters, and what stands in events as it is printed. */
  readonly tokens: readonly (string | Part)[]
  readonly parts: readonly Part[]
  readonly words: readonly string[]
}
/** A clause with the event that it stands on. */
export type Told = Clause & { readonly owner: RecordedEvent }

type EventType = RecordedEvent['eventType']
const measured: readonly EventType[] = ['lab_result', 'vital_sign', 'imaging_result']
const problems: readonly EventType[] = ['condition', 'symptom', 'physical_finding', 'family_history']

/** Words that say of which kind something is. */
const kinds: readonly (readonly [words: string, of: readonly EventType[]])[] = [
  ['allergy allergies reaction reactions', ['allergy']],
  ['vaccine vaccines vaccination immunisation immunisations immunization immunizations', ['immunization']],
  ['medicine medicines medication medications strength frequency route', ['medication']],
  ['dose given', ['medication', 'immunization']],
  ['procedure procedures', ['procedure']],
  ['problem problems condition conditions diagnosis diagnoses', ['condition', 'family_history']],
  ['symptom symptoms', ['condition', 'symptom', 'family_history']],
  ['finding findings', [...measured, ...problems]],
  ['test tests measurement measurements measured level levels reading readings value values result results', measured],
  ['range reference', measured],
  ['planned', ['medication', 'immunization', 'procedure']],
  ['due', ['immunization', 'procedure']],
]
const kindsOfWord: ReadonlyMap<string, readonly EventType[]> = new Map(
  kinds.flatMap(([words, of]) => words.split(' ').map((word) => [word, of] as const)),
)

export function claimsNoMore(told: readonly Told[]): boolean {
  return told.every(fitsKind) && told.every(saysWhichPart) && saysEachWhole(told)
}

function fitsKind({ owner, words, parts }: Told): boolean {
  const isMarked = words.some((word) => ['mark', 'marked', 'flag', 'flagged'].includes(word))
  if (isMarked && !has(parts, owner, 'flag')) return false
  const isOver = owner.clinicalStatus === 'stopped' || owner.clinicalStatus === 'completed'
  if (words.some((word) => word === 'stopped' || word === 'ceased') && !isOver) return false
  if (words.includes('resolved') && owner.clinicalStatus !== 'resolved') return false
  return words.every((word) => kindsOfWord.get(word)?.includes(owner.eventType) ?? true)
}

const has = (parts: readonly Part[], owner: RecordedEvent, kind: PartKind) =>
  parts.some((part) => part.get(owner)?.has(kind) === true)

/** What is beside a name must be said to be what it is: a range is no value, a reaction no illness, a purpose no problem. */
function saysWhichPart({ owner, tokens, words }: Told): boolean {
  const says = (...any: readonly string[]) => any.some((word) => words.includes(word))
  return tokens.every((token, at) => {
    const of = typeof token === 'string' ? undefined : token.get(owner)
    if (of === undefined || of.has('name') || of.has('value')) return true
    if (of.has('indication')) return says('for')
    if (of.has('reaction')) return says('with', 'reaction', 'reactions')
    if (of.has('range')) return says('range', 'reference')
    const before = tokens[at - 1]
    return !of.has('date') || !['to', 'by', 'for', 'as', 'with'].includes(typeof before === 'string' ? before : '')
  })
}

const ofAllergies = ['allergy', 'allergies']
const ofVaccines = ['vaccine', 'vaccines', 'vaccination', 'immunisation', 'immunization', 'given']

/** A result is told with its value; an allergy and a vaccine are called so: "Penicillin is listed" is a medicine. */
function saysEachWhole(told: readonly Told[]): boolean {
  const naming = told.filter(({ owner, parts }) => has(parts, owner, 'name'))
  return naming.every(({ owner, words }) => {
    const of = told.filter((each) => each.owner === owner)
    if (measured.includes(owner.eventType) && owner.valueText !== null)
      return of.some(({ parts }) => has(parts, owner, 'value'))
    if (owner.eventType === 'allergy') {
      const isAmongAllergies = told.every((each) => each.owner.eventType === 'allergy')
      const said = isAmongAllergies ? (told[0]?.words ?? []) : []
      return [...words, ...said].some((word) => ofAllergies.includes(word)) || /allerg/i.test(owner.name)
    }
    if (owner.eventType !== 'immunization' || /vacc|immun|toxoid|booster/i.test(owner.name)) return true
    return words.some((word) => ofVaccines.includes(word))
  })
}

/** Each thing that is named must be said to be what it is, and nothing may be said to be otherwise. */
export function saysStatus(told: readonly Told[], status: ToldStatus): boolean {
  if (told.some(({ words }) => words.some((word) => (statusOfCue(word) ?? status) !== status))) return false
  if (status === 'present') return told.every(({ words }) => !words.includes('had'))
  if (status === 'family' && told.some(({ words }) => words.includes('patient'))) return false
  if (told.some((clause) => cuesIn(clause) > 0 && isOfPaper(clause))) return false
  return told.every((clause, at) => {
    if (!has(clause.parts, clause.owner, 'name')) return true
    if (cuesIn(clause) > 0) return isCue(clause, status) && !isDeniedAgain(told[at + 1], status)
    // "Gout, denied", but not "the patient has gout, denied".
    const isOpen = !clause.words.some((word) => ['has', 'have', 'had', 'patient'].includes(word))
    return isOpen && [told[at + 1], told[at - 1]].some((next) => isCueAlone(next, clause.owner, status))
  })
}

const cuesIn = ({ words }: Clause) => words.filter((word) => statusOfCue(word) !== null).length

/** "A past report", "date uncertain": that is said of the paper, not of what stands on it. */
function isOfPaper({ tokens, words }: Clause): boolean {
  const ofPaper = ['document', 'report', 'record', 'result', 'reading', 'test', 'value', 'level']
  const isNext = tokens.some((token, at) => {
    const next = tokens[at + 1]
    return (
      typeof token === 'string' && statusOfCue(token) !== null && typeof next === 'string' && ofPaper.includes(next)
    )
  })
  return isNext || words.some((word) => ['date', 'dated'].includes(word))
}

const isCueAlone = (clause: Told | undefined, owner: RecordedEvent, status: ToldStatus): boolean =>
  clause !== undefined &&
  clause.owner === owner &&
  !has(clause.parts, owner, 'name') &&
  cuesIn(clause) > 0 &&
  (status !== 'negated' ||
    (cuesIn(clause) === 1 && clause.words.every((word) => negation.has(word) || plain.has(word))))

const isDeniedAgain = (next: Told | undefined, status: ToldStatus) =>
  status === 'negated' && next !== undefined && !has(next.parts, next.owner, 'name') && cuesIn(next) > 0

const negation = new Set('no not denied denies without never nil none'.split(' '))
/** What may stand between a denial and what it denies. */
const plain = new Set(
  `a an any the is was are were has have been be known there said stated reported recorded listed noted shown as of to in on
   allergy allergies problem condition symptom finding procedure medicine vaccine vaccination immunisation given`.split(
    /\s+/,
  ),
)

/** A denial is one word, and nothing else stands between it and the name: "without date" denies no gout. */
function isCue({ tokens, owner }: Told, status: ToldStatus): boolean {
  if (status !== 'negated') return true
  const places = tokens.flatMap((token, at) => (typeof token === 'string' && negation.has(token) ? [at] : []))
  const name = tokens.findIndex((token) => typeof token !== 'string' && token.get(owner)?.has('name') === true)
  const [cue] = places
  if (places.length !== 1 || cue === undefined) return false
  const between = cue < name ? tokens.slice(cue + 1, name) : [...tokens.slice(name + 1, cue), ...tokens.slice(cue + 1)]
  const isBackward = cue > name && !['not', 'never', 'denied'].some((word) => word === tokens[cue])
  return !isBackward && between.every((token) => (typeof token === 'string' ? plain.has(token) : cue > name))
}
