/** Reactions that are told without the word allergy: "codeine makes her vomit", "came out in a rash with Bactrim". */
import type { FoundFact } from '../../document/found-fact.ts'
import { allergenLexicon, medicineLexicon, reactionLexicon, type Concept } from '../../terminology/concepts.ts'
import { findTerms, type Match } from '../../terminology/lexicon.ts'
import { allergyFact, startOfSeverity } from './allergy-fact.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import type { Range, Reading } from '../found.ts'
import { tokensOf, type Segment } from '../statements/segments.ts'

const person = '(?:me|him|her|them|us|the patient|pt|this patient|my \\w+)'
/** "Codeine makes her feel sick", "amlodipine caused ankle swelling" */
const causes = new RegExp(
  String.raw`^(?:\s+(?:tablets?|always|usually|in the past|previously|has|have|had|also|both)){0,3}\s+(?:(?:makes?|made|making)\s+${person}\s+(?:(?:to|feel|very|really|quite|come out in|break out in|get|so|a bit|a|an)\s+)*|(?:causes?|caused|gives?|gave|induced|triggers?|triggered|brings on|brought on|led to|resulted in)\s+(?:${person}\s+)?(?:(?:to|get|have|a|an|some|his|her|my)\s+)*)$`,
  'i',
)
/** "Came out in a rash with …", "had an itchy rash after IV …" */
const suffered =
  /\b(?:c[ao]mes? out in|breaks? out in|broke out in|develops?|developed|gets?|got|had|has had|has|experienced|experiences|suffered|suffers|reacted with|reacts with)\s+(?:(?:a|an|some|bad|bit of|generali[sz]ed|widespread|itchy|severe|mild|moderate|terrible|awful|significant|profuse)\s+)*$/i
const after =
  /^\s+(?:(?:and|with)\s+\S+\s+)?(?:with|after|to|from|following|when (?:taking|given|on|having)|on|secondary to|due to|caused by)\s+(?:(?:taking|eating|having|starting|receiving|a dose of|a course of|IV|oral|intravenous|the|any|some|his|her)\s+)*$/i
/** "Can't have Bactrim - came out in a rash" */
const cannot =
  /\b(?:can(?:no|')?t|can not|can’t|unable to|could not|couldn['’]t|does not|doesn['’]t|did not|didn['’]t)\s+(?:have|take|tolerate|use|eat)\s+(?:any\s+)?$/i
const because = /^\s*(?:[-–—:,(]|because|as|since|due to|it|they|\s)+(?:[\w’']+\s+){0,5}$/i
const onlyFeared =
  /\b(?:may|might|can|could|would|will|should|if|risk|risks|side[- ]effects?|potential|possible|watch for|known to|prevent\w*|without|avoid \w+ing|relie\w+|treat\w*|tolerat\w*|no|nil|not|denie[sd]|for)\b/i
const closed = new Set(['family-history', 'plan', 'discharge-instructions', 'follow-up', 'indication', 'immunisations'])
const notTold = new Set(['alcohol', 'caffeine', 'cold', 'sunlight', 'oxygen', 'cannabis', 'nicotine'])

export function toldReactions(reading: Reading, segment: Segment): FoundFact[] {
  if (closed.has(segment.role.slug ?? '')) return []
  const substances = substancesOf(segment)
  if (substances.length === 0) return []
  const text = reading.document.text
  const reactions = findTerms(reactionLexicon(), segment.tokens, 'any')
  const cues = reactions.length > 0 ? findCues(segment.tokens) : []
  return substances.flatMap((name) => {
    const reaction = reactions.find((each) => isTold(text, segment, name, each))
    if (!reaction) return []
    const said = [name, reaction].map((range) => assertionOf(segment.tokens, cues, tokensOf(segment, range)).status)
    if (said.some((status) => status !== 'present' && status !== 'historical')) return []
    const start = startOfSeverity(text, reaction) ?? reaction.start
    const fact = allergyFact(reading, name, { reaction: { start, end: reaction.end }, severity: null })
    return fact ? [fact] : []
  })
}

function substancesOf(segment: Segment): Match<Concept>[] {
  const found = [
    ...findTerms<Concept>(allergenLexicon(), segment.tokens).filter(({ terms }) =>
      terms.some(({ meaning, isAmbiguous }) => !isAmbiguous && /^(?:medication|food|material)/.test(meaning.group)),
    ),
    ...findTerms<Concept>(medicineLexicon(), segment.tokens).filter(({ terms }) =>
      terms.some(({ isAmbiguous }) => !isAmbiguous),
    ),
  ]
  const longest = found.toSorted((a, b) => b.to - b.from - (a.to - a.from))
  const kept: Match<Concept>[] = []
  for (const match of longest)
    if (!kept.some((other) => other.from < match.to && match.from < other.to)) kept.push(match)
  return kept.filter(({ terms }) => !notTold.has(terms[0]?.meaning.name ?? ''))
}

function isTold(text: string, segment: Segment, name: Range, reaction: Range): boolean {
  if (reaction.start < name.end && name.start < reaction.end) return false
  const isAhead = reaction.start >= name.end
  const between = isAhead ? text.slice(name.end, reaction.start) : text.slice(reaction.end, name.start)
  if (between.length > 70 || /[.;\t]/.test(between)) return false
  const first = isAhead ? name : reaction
  const clause =
    text
      .slice(segment.start, first.start)
      .split(/[.;,:]|\b(?:but|and)\b/i)
      .at(-1) ?? ''
  if (isAhead && cannot.test(text.slice(segment.start, name.start)) && because.test(between)) return true
  if (onlyFeared.test(`${clause} ${between}`.replace(/\bfor (?:many )?years\b/i, ''))) return false
  return isAhead
    ? causes.test(between)
    : suffered.test(text.slice(segment.start, reaction.start)) && after.test(between)
}
