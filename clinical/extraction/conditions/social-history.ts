/** Smoking, vaping, alcohol and drugs as stated: whether, how much, and when it ended. */
import type { FactStatus, FoundFact } from '../../document/found-fact.ts'
import { findTerms, type Match } from '../../terminology/lexicon.ts'
import { habitLexicon, type Habit, type HabitTopic } from '../../terminology/social-habits.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import { foundFact, type Range, type Reading } from '../found.ts'
import { amountIn, stoppedAgo, stoppedIn } from './habit-amount.ts'
import type { Segment } from '../statements/segments.ts'

const closedSections = /medications|allerg|family|immuni|plan|instruct|follow|result|imaging|specimen/

type Mention = Match<Habit> & { readonly habit: Habit }

export function findSocialHistory(reading: Reading): FoundFact[] {
  return reading.segments.flatMap((segment) => {
    if (segment.kind === 'heading' || closedSections.test(segment.role.slug ?? '')) return []
    const mentions = mentionsOf(reading, segment)
    return [...Map.groupBy(mentions, ({ habit }) => habit.topic)].flatMap(
      ([topic, own]) => habitFact(reading, segment, { topic, own, all: mentions }) ?? [],
    )
  })
}

function mentionsOf(reading: Reading, segment: Segment): Mention[] {
  const isSocial = segment.role.slug === 'social-history'
  return findTerms(habitLexicon(), segment.tokens, 'any').flatMap((match) => {
    const habit = match.terms[0]?.meaning
    return habit && (isSocial || !habit.isInSection) && !isSomethingElse(reading.document.text, match)
      ? [{ ...match, habit }]
      : []
  })
}

const service =
  /^[\s-]*(?:cessation|counsel\w*|advice|clinic|quitline|free|related|induced|associated|withdrawal|dependen\w+|abuse|misuse|disorder|hepatitis|cirrhosis|swabs?|wipes?|gel|rub|based|prep|level|screen\w*|programme?|patch\w*|allerg\w*|intoleran\w+|interaction)\b/i
const otherThing =
  /(?:\b(?:blood|isopropyl|rubbing|benzyl|passive|second-?hand|avoid|limit|reduce|reducing|prescription|medicinal)|\bdiscuss\w*(?: \w+)?)\s*$/i

function isSomethingElse(text: string, { start, end }: Range): boolean {
  return service.test(text.slice(end, end + 20)) || otherThing.test(text.slice(Math.max(0, start - 20), start))
}

type Group = { readonly topic: HabitTopic; readonly own: readonly Mention[]; readonly all: readonly Mention[] }

function habitFact(reading: Reading, segment: Segment, { topic, own, all }: Group): FoundFact | null {
  const { text } = reading.document
  const [first] = own
  const head = own.find(({ habit }) => habit.status !== null) ?? first
  if (!first || !head) return null
  const clause = clauseOf(reading, segment, first, all)
  const status = statusOf(segment, head, { ...clause, text: text.slice(clause.start, clause.end) })
  if (status === null) return null
  const name = nameOf(text, head)
  const amount = status === 'negated' ? null : (amountIn(text, topic, clause) ?? stoppedAgo(text, clause))
  const value = amount && besideName(amount, name)
  const printed = value ? text.slice(value.start, value.end).replace(/[\s-]+$/, '') : null
  return foundFact(reading.document, {
    type: 'social_history',
    name,
    status,
    value: printed?.replace(/\s+/g, ' ') ?? null,
    date: status === 'historical' ? stoppedIn(text, clause) : null,
    parts: [['value', value && printed ? { start: value.start, end: value.start + printed.length } : null]],
    strength: 'fair',
  })
}

/** "20 pack-years": where the name is the amount's own unit, the number alone is left. */
function besideName(amount: Range, name: Range): Range | null {
  if (amount.start >= name.start && amount.end <= name.end) return null
  return amount.start < name.start && name.end === amount.end ? { ...amount, end: name.start } : amount
}

/** From where another habit's words end to where the next one's begin. */
function clauseOf({ document }: Reading, segment: Segment, first: Mention, all: readonly Mention[]): Range {
  const { topic } = first.habit
  const before = all.findLast((other) => other.end <= first.start && other.habit.topic !== topic)
  const after = all.find((other) => other.start >= first.end && other.habit.topic !== topic)
  const from = before?.end ?? segment.start
  const to = after?.start ?? segment.end
  const text = document.text.slice(from, to)
  const lead = text.slice(0, first.start - from)
  const cut = Math.max(
    lead.lastIndexOf(';'),
    lead.lastIndexOf(':'),
    lead.lastIndexOf('. '),
    before ? lead.lastIndexOf(',') : -1,
  )
  // A number before the next habit's word is that one's: "smokes, 3 standard drinks".
  const end = after
    ? Math.max(text.lastIndexOf(','), text.lastIndexOf(';'), text.lastIndexOf('. '), text.lastIndexOf('\n'))
    : -1
  return { start: from + cut + 1, end: end > first.end - from ? from + end : to }
}

const over =
  /\b(?:quit|ceased|stopped|gave up|given up|former(?:ly)?|ex-?|previous(?:ly)?|past|in remission|nil since|none since)\b/i
const notYet =
  /\b(?:to|not|should|must|will|could|can|cannot|please|encouraged|ready|n['’]t)\s+(?:\w+ly\s+)?(?:quit|stop|cease|give)/i

function statusOf(segment: Segment, head: Mention, clause: Range & { readonly text: string }): FactStatus | null {
  const { status, cue } = assertionOf(segment.tokens, findCues(segment.tokens), head)
  if (status === 'family' || status === 'other') return null
  const isAhead = notYet.test(clause.text)
  if (head.habit.status === 'negated') return status === 'uncertain' ? 'uncertain' : 'negated'
  if (head.habit.status === 'historical')
    return isAhead || /^(?:stop|cease) /i.test(clause.text.trim()) ? 'present' : 'historical'
  // "Ex-smoker, 2 standard drinks per week": that is over, this is not.
  const isPastOfOther = status === 'historical' && cue !== null && cue.end <= clause.start
  if (status !== 'present' && !isPastOfOther) return status
  return over.test(clause.text) && !isAhead ? 'historical' : 'present'
}

/** "Smoking status", "alcohol history": what it is the status of. "Current" is said by the fact's own status. */
function nameOf(text: string, { start, end }: Range): Range {
  const printed = text.slice(start, end)
  const lead = /^(?:current|active)\s+(?=smoker)/i.exec(printed)?.[0].length ?? 0
  const label = /\s+(?:use\s)?(?:status|history)$/i.exec(printed)
  return { start: start + lead, end: label ? start + label.index : end }
}
