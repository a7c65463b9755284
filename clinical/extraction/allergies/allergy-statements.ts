/** Allergies that sentences tell of. */
import type { FoundFact } from '../../document/found-fact.ts'
import { findAllergyWords } from '../../terminology/allergy-words.ts'
import { allergenLexicon, medicineLexicon } from '../../terminology/concepts.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import { readDenial } from './allergy-denials.ts'
import { allergenItems, allergyFact, deniedAllergy, reactionAfter, substanceIn } from './allergy-fact.ts'
import { exceptedAllergies } from './allergy-lists.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import type { Range, Reading } from '../found.ts'
import { tokensOf, type Segment } from '../statements/segments.ts'

const trigger =
  /\b(?:allerg(?:y|ic|ies) to:?|allergies include:?|intoleran(?:t|ce) (?:of|to)|anaphyla(?:xis|ctic)(?: reaction)? to|hypersensitiv(?:e|ity) to|sensitiv(?:e|ity) to|(?:adverse )?reaction to)\s+/gi
const deniedBefore =
  /\b(?:not|no|nil|denies|denied|without|never|isn't|wasn't)(?:\s+(?:known|been|any|have|having|be|a|an|history of|previous|have an))*\s*$/i
const afterAllergen = /^\s*(?:[-–:]\s*)?(?:allerg(?:y|ic)|intoleran(?:ce|t)|anaphylaxis|hypersensitivity)\b/i
/** Where the list of what somebody is allergic to ends and another clause begins. */
const nextClause =
  /[.;()]|\b(?:but|which|causing|with|and (?:has|is|was)|who|that|when|tolerat\w+|takes|taking|uses|using|was|were|has|had|have|can|developed|presents?|no|not|nil|denies|as|from|\d)\b|\s[-–—]\s/i
export function statedAllergies(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const slice = text.slice(segment.start, segment.end)
  if (!/allerg|NK(?:D|F)?A\b|intoleran|anaphyla|sensitiv|reaction to|adverse/i.test(slice)) return []
  const denial = readDenial(reading, segment, 'anywhere')
  const excepted = denial?.exceptions ? exceptedAllergies(reading, segment, denial.exceptions) : []
  const { named, denied } = namedAllergens(reading, segment)
  const cues = findCues(segment.tokens)
  const facts = named.flatMap((range) => {
    if (denial && range.start < denial.range.end && denial.range.start < range.end) return []
    const { status } = assertionOf(segment.tokens, cues, tokensOf(segment, range))
    const substance = substanceIn(text.slice(range.start, range.end))
    if (!substance || status === 'family' || status === 'other' || status === 'hypothetical') return []
    const name = { start: range.start + substance.start, end: range.start + substance.end }
    const before = text.slice(segment.start, range.start)
    const after = text.slice(range.end, segment.end)
    // Only a denial of the allergy itself counts: "not on any medicine, allergic to peanuts" denies the medicine.
    if (denied.includes(range) || deniedBefore.test(before) || isDisproved(after)) return [deniedAllergy(reading, name)]
    const isUnsure = status === 'uncertain' || isInDoubt(before) || /^\s*\?/.test(after)
    const reaction = reactionAfter(reading, segment.end, range)
    const fact = allergyFact(reading, name, { reaction, severity: null, status: isUnsure ? 'uncertain' : 'present' })
    return fact ? [fact] : []
  })
  return [...(denial?.facts ?? []), ...excepted, ...facts]
}

const germs =
  /\b(?:resistan\w*|susceptib\w*|isolates?|isolated|organisms?|cultures?|cultured|coli|aureus|spp?\.|species|strep\w*|staph\w*|klebsiella|pseudomonas|proteus|enterococc\w*|growth|MIC|bacteria|gram|antibiotic|antimicrobial)\b/i
/** What people do not bear, but that is no allergy. */
const bodily = /^(?:heat|cold|exercise|light|touch|noise|feeds?|oral feeds|activity|exertion|palpation|pressure)\b/i

function namedAllergens(reading: Reading, segment: Segment): { named: Range[]; denied: Range[] } {
  const text = reading.document.text
  const slice = text.slice(segment.start, segment.end)
  const named: Range[] = []
  const denied: Range[] = []
  for (const match of slice.matchAll(trigger)) {
    // "E. coli sensitive to trimethoprim": of a germ, not of a person.
    if (/sensitiv/i.test(match[0]) && germs.test(slice)) continue
    const from = segment.start + match.index + match[0].length
    const to = from + (nextClause.exec(text.slice(from, segment.end))?.index ?? segment.end - from)
    const items = [...allergenItems(text, from, to), ...furtherItems(text, to, segment.end)]
    if (bodily.test(text.slice(from, to))) continue
    named.push(...items)
    if (deniedBefore.test(slice.slice(0, match.index))) denied.push(...items)
  }
  for (const match of [
    ...findTerms(allergenLexicon(), segment.tokens),
    ...findTerms(medicineLexicon(), segment.tokens),
  ]) {
    const isAllergy = afterAllergen.test(text.slice(match.end, match.end + 30))
    if (isAllergy && !named.some((range) => range.start < match.end && match.start < range.end))
      named.push({ start: match.start, end: match.end })
  }
  return { named, denied }
}

/** "penicillin (rash), sulfa (swelling), and aspirin": the list goes on behind a bracket. */
function furtherItems(text: string, from: number, end: number): Range[] {
  const match = /^\s*\([^()]{2,60}\),?\s+(?:and\s+|or\s+)?(?=\p{L})|^\s*\([^()]{2,60}\),\s*/u.exec(
    text.slice(from, end),
  )
  if (!match) return []
  const start = from + match[0].length
  const to = start + (nextClause.exec(text.slice(start, end))?.index ?? end - start)
  return [...allergenItems(text, start, to), ...furtherItems(text, to, end)]
}

/** "Penicillin allergy has been delabelled", "allergy to latex was excluded". */
function isDisproved(after: string): boolean {
  const clause = after.split(/[.;]|\bbut\b/)[0] ?? ''
  const found = findAllergyWords(clause, 'disproved')[0]
  return (
    found !== undefined &&
    /^(?:\W*(?:allerg\w+|was|has|have|been|is|were|label|now|recently|formally|since|later|\s))*$/i.test(
      clause.slice(0, found.start),
    )
  )
}

function isInDoubt(before: string): boolean {
  const clause = before.split(/[.;,]/).at(-1) ?? ''
  return /\?\s*(?:allerg\w* to\s*)?$/i.test(clause) || findAllergyWords(clause, 'uncertain').length > 0
}
