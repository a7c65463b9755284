/** Allergies and intolerances with their reactions, and the statement that there are none. */
import type { FactDetail, FoundFact } from '../document/found-fact.ts'
import { allergenLexicon, medicineLexicon, reactionLexicon, type Concept } from '../terminology/concepts.ts'
import { cueLexicon } from '../terminology/cues.ts'
import { findTerms, matchAt, type Match } from '../terminology/lexicon.ts'
import { tokenise } from '../terminology/tokens.ts'
import { assertionOf, findCues } from './context.ts'
import { foundFact, trimmed, type Range, type Reading } from './found.ts'
import { bare, splitItems, wordCount } from './list-items.ts'
import type { Segment } from './segments.ts'
import { cellsByRole, hasColumn, type Table } from './table-columns.ts'

const noneInSection =
  /^(?:nil|none|no)(?:\s+(?:known|significant|allergies|drug allergies|known (?:drug |food )?allergies|adverse reactions))*\.?$/i
const saysNothing =
  /^(?:not (?:recorded|known|documented|listed|asked|stated)|none (?:listed|recorded|documented)|unknown|see |n\/?a|as above|reviewed|updated|status|reaction|substance|severity|type|date|verified|confirmed|alerts?)\b/i
const trigger =
  /\b(?:allerg(?:y|ic|ies) to|intoleran(?:t|ce) (?:of|to)|anaphyla(?:xis|ctic)(?: reaction)? to|hypersensitiv(?:e|ity) to|sensitiv(?:e|ity) to|(?:adverse )?reaction to)\s+/gi
const deniedBefore =
  /\b(?:not|no|nil|denies|denied|without|never|isn't|wasn't)(?:\s+(?:known|been|any|have|having|be|a|an|history of|previous|have an))*\s*$/i
const afterAllergen = /^\s*(?:[-–:]\s*)?(?:allerg(?:y|ic)|intoleran(?:ce|t)|anaphylaxis|hypersensitivity)\b/i
const severityWords = /\b(mild|moderate|severe|life[- ]threatening|anaphyla(?:xis|ctic))\b/i

export function findAllergies(reading: Reading, tables: readonly Table[]): FoundFact[] {
  const rows = tables
    .filter((table) => hasColumn(table, 'allergen') && !hasColumn(table, 'medicine', 'test'))
    .flatMap((table) => tableAllergies(reading, table))
  const inRows = new Set(rows.flatMap((row) => row.lines))
  const segments = reading.segments.filter((segment) => segment.kind !== 'heading' && !inRows.has(segment.firstLine))
  return [
    ...rows.flatMap((row) => row.facts),
    ...segments.flatMap((segment) =>
      segment.role.slug === 'allergies' ? listedAllergies(reading, segment) : statedAllergies(reading, segment),
    ),
  ]
}

function tableAllergies(reading: Reading, table: Table): { facts: FoundFact[]; lines: number[] }[] {
  return table.rows.flatMap(({ line, place }) => {
    const cells = cellsByRole(table, line)
    const cell = cells.get('allergen')
    if (!cell) return []
    const name = bare(reading.document.text, { start: cell.start, end: cell.start + cell.length })
    const none = noneStated(reading, name, 'section')
    if (none) return [{ facts: [none], lines: [place] }]
    const part = (role: 'reaction' | 'severity') => {
      const found = cells.get(role)
      return found ? { start: found.start, end: found.start + found.length } : null
    }
    const fact = allergyFact(reading, name, { reaction: part('reaction'), severity: part('severity') })
    return fact ? [{ facts: [fact], lines: [place] }] : []
  })
}

function listedAllergies(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const label = /^[^:\n]{2,40}:\s*/.exec(text.slice(segment.start, segment.end))?.[0] ?? ''
  const start = /allerg|reaction|intoleran|sensitiv|alert|medic|drug|food|environment|other/i.test(label)
    ? segment.start + label.length
    : segment.start
  const body = bare(text, { start, end: segment.end })
  const none = noneStated(reading, body, 'section')
  if (none) return [none]
  const facts: FoundFact[] = []
  for (const item of splitItems(text, body.start, body.end)) {
    const printed = text.slice(item.start, item.end)
    if (facts.length > 0 && wholeTerm(printed, reactionLexicon)) continue
    const fact = noneStated(reading, item, 'section') ?? listedAllergy(reading, segment, item)
    if (fact) facts.push(fact)
  }
  return facts
}

function listedAllergy(reading: Reading, segment: Segment, item: Range): FoundFact | null {
  const text = reading.document.text
  const printed = text.slice(item.start, item.end)
  if (saysNothing.test(printed) || !/\p{L}{3}/u.test(printed)) return null
  const lead =
    /^(?:(?:patient (?:is )?|he is |she is |known )?(?:allergic|allergy|intolerant|sensitive|sensitivity|anaphylaxis) (?:to|of)\s+)/i.exec(
      printed,
    )?.[0].length ?? 0
  const rest = printed.slice(lead)
  const split =
    /\s*(?:\(|\[|\s[-–—]\s?|:|→|=>|\bcaus(?:es|ing|ed)\b|\bresult(?:s|ed|ing) in\b|\bwith\b|\bgives\b)\s*/i.exec(rest)
  const nameEnd = item.start + lead + (split && split.index > 1 ? split.index : rest.length)
  const name = bare(text, { start: item.start + lead, end: nameEnd })
  const reaction =
    split && nameEnd < item.end
      ? trimmed(text, { start: nameEnd + split[0].length, end: item.end }, /[\s:;,.()[\]–-]/)
      : null
  const { status } = assertionOf(segment.tokens, findCues(segment.tokens), tokenRange(segment, name))
  if (status === 'negated' || status === 'family' || status === 'other') return null
  const isNamed = substanceIn(text.slice(name.start, name.end)) !== null
  if (
    !isNamed &&
    (wordCount(text, name) > 5 || /\b(?:is|was|has|have|the|please|had)\b/i.test(text.slice(name.start, name.end)))
  )
    return null
  return allergyFact(reading, name, { reaction, severity: null })
}

function statedAllergies(reading: Reading, segment: Segment): FoundFact[] {
  const text = reading.document.text
  const slice = text.slice(segment.start, segment.end)
  if (!/allerg|NK(?:D|F)?A\b|intoleran|anaphyla|sensitiv|reaction to/i.test(slice)) return []
  const none = noneStated(reading, segment, 'anywhere')
  const cues = findCues(segment.tokens)
  const named: Range[] = []
  const denied: Range[] = []
  for (const match of slice.matchAll(trigger)) {
    const from = segment.start + match.index + match[0].length
    const to =
      from +
      (/[.;()]|\b(?:but|which|causing|with|and (?:has|is|was)|who|that|when|\d)\b/i.exec(text.slice(from, segment.end))
        ?.index ?? segment.end - from)
    const items = splitItems(text, from, to)
    named.push(...items)
    if (deniedBefore.test(slice.slice(0, match.index))) denied.push(...items)
  }
  const tokens = tokenise(text, segment.start, segment.end)
  for (const match of [...findTerms(allergenLexicon(), tokens), ...findTerms(medicineLexicon(), tokens)]) {
    if (afterAllergen.test(text.slice(match.end, match.end + 30)) && !named.some((range) => overlaps(range, match)))
      named.push({ start: match.start, end: match.end })
  }
  const facts = named.flatMap((range) => {
    const { status } = assertionOf(segment.tokens, cues, tokenRange(segment, range))
    const substance = substanceIn(text.slice(range.start, range.end))
    if (!substance || status === 'family' || status === 'other' || status === 'hypothetical') return []
    // Only a denial of the allergy itself counts: "not on any medicine, allergic to peanuts" denies the medicine.
    const isDenied = denied.includes(range) || deniedBefore.test(text.slice(segment.start, range.start))
    if (isDenied)
      return none
        ? []
        : [
            foundFact(reading.document, {
              type: 'allergy',
              name: range,
              status: 'negated',
              concept: substance.concept,
              strength: 'fair',
            }),
          ]
    const reaction = reactionAfter(reading, segment, range)
    const fact = allergyFact(
      reading,
      { start: range.start + substance.start, end: range.start + substance.end },
      { reaction, severity: null },
    )
    return fact ? [fact] : []
  })
  return none ? [none, ...facts] : facts
}

/** "NKDA", "no known allergies"; under the heading also "nil known" or plain "none". */
function noneStated(reading: Reading, range: Range, where: 'section' | 'anywhere'): FoundFact | null {
  const text = reading.document.text
  const tokens = tokenise(text, range.start, range.end)
  const matches = tokens.flatMap((_, place) => matchAt(cueLexicon(), tokens, place, 'any') ?? [])
  const match = matches.find(
    (found) =>
      found.terms.some((term) => term.meaning.category === 'no-known') &&
      /allerg|nk\w?d?a\b|adverse/i.test(text.slice(found.start, found.end)),
  )
  const isPlain = where === 'section' && noneInSection.test(text.slice(range.start, range.end).trim())
  const name = match ?? (isPlain ? range : null)
  return name ? foundFact(reading.document, { type: 'allergy', name, status: 'negated', strength: 'strong' }) : null
}

function allergyFact(
  reading: Reading,
  name: Range,
  parts: { reaction: Range | null; severity: Range | null },
): FoundFact | null {
  const text = reading.document.text
  const printed = text.slice(name.start, name.end)
  if (!/\p{L}{3}/u.test(printed) || saysNothing.test(printed)) return null
  const reaction = parts.reaction
    ? text.slice(parts.reaction.start, parts.reaction.end).replace(/\s+/g, ' ').trim()
    : ''
  const severity = parts.severity
    ? text.slice(parts.severity.start, parts.severity.end).trim()
    : severityWords.exec(reaction)?.[1]
  const detail: FactDetail = { ...(reaction ? { reaction } : {}), ...(severity ? { severity } : {}) }
  const substance = substanceIn(printed)
  return foundFact(reading.document, {
    type: 'allergy',
    name,
    detail,
    parts: [['detail', parts.reaction]],
    concept: substance?.concept ?? null,
    strength: substance ? 'strong' : 'fair',
  })
}

function substanceIn(printed: string): { concept: string; start: number; end: number } | null {
  const tokens = tokenise(printed)
  const found: Match<Concept>[] = [
    ...findTerms(allergenLexicon(), tokens, 'any'),
    ...findTerms(medicineLexicon(), tokens, 'any'),
  ]
  const best = found.toSorted((a, b) => b.end - b.start - (a.end - a.start))[0]
  return best?.terms[0] ? { concept: best.terms[0].meaning.concept, start: best.start, end: best.end } : null
}

function wholeTerm(printed: string, lexicon: typeof reactionLexicon): boolean {
  const tokens = tokenise(printed)
  return findTerms(lexicon(), tokens, 'any').some((match) => match.from === 0 && match.to === tokens.length)
}

function reactionAfter(reading: Reading, segment: Segment, name: Range): Range | null {
  const tokens = tokenise(reading.document.text, name.end, segment.end)
  const match = findTerms(reactionLexicon(), tokens)[0]
  return match && match.start - name.end < 40 ? match : null
}

function tokenRange(segment: Segment, range: Range): { from: number; to: number } {
  const from = segment.tokens.findIndex((token) => token.end > range.start)
  const to = segment.tokens.findIndex((token) => token.start >= range.end)
  return { from: from < 0 ? segment.tokens.length : from, to: to < 0 ? segment.tokens.length : to }
}

function overlaps(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end
}
