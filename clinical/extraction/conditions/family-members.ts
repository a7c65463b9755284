/**
 * Whose illness it is. A family's history is told relative first ("father – hypertension and CVA, paternal aunt breast
 * cancer") or illness first ("bowel cancer in a paternal uncle", "MI (father)"): a relative behind the illness counts
 * only where words tie the two, else it is the one named last before it.
 */
import { conditionLexicon } from '../../terminology/concepts.ts'
import { exactly, findTerms, matchAt } from '../../terminology/lexicon.ts'
import { relativeLexicon, relativeOf } from '../../terminology/relatives.ts'
import type { Token } from '../../terminology/tokens.ts'

type Relative = { readonly from: number; readonly to: number; readonly relation: string }
type TokenRange = { readonly from: number; readonly to: number }

/** The relative that a condition at tokens [from, to) of its segment is said of; null where none is named. */
export function relativeWith(tokens: readonly Token[], condition: TokenRange): string | null {
  const relatives = relativesIn(tokens)
  const [first] = relatives
  if (first === undefined) return null
  const isRelativeFirst = findTerms(conditionLexicon(), tokens.slice(0, first.from)).length === 0
  const behind = relatives.find((relative) => relative.from >= condition.to)
  if (behind && tied(tokens.slice(condition.to, behind.from), isRelativeFirst)) return behind.relation
  const before = relatives.findLast((relative) => relative.to <= condition.from)
  if (before && !isPassed(tokens.slice(before.to, condition.from), isRelativeFirst)) return before.relation
  if (before) return null
  return behind && relatives.length === 1 ? behind.relation : null
}

/** Named together ("mother and sister"), of one another ("mother's brother"), or by side ("aunt on the mother's side"). */
function relativesIn(tokens: readonly Token[]): Relative[] {
  const lexicon = exactly(relativeLexicon())
  const joined: Relative[] = []
  for (let place = 0; place < tokens.length; place += 1) {
    const match = matchAt(lexicon, tokens, place, 'any')
    const printed = tokens[place]?.text ?? ''
    // "Mo" and "Fa" are relatives only as labels.
    if (!match || (printed.length <= 2 && tokens[match.to]?.text !== ':')) continue
    const relative = { from: match.from, to: match.to, relation: printedRelation(tokens, match) }
    const last = joined.at(-1)
    const both = last ? together(tokens, last, relative) : null
    if (both) joined[joined.length - 1] = both
    else joined.push(relative)
    place = match.to - 1
  }
  return joined
}

/** "Sisters" and "sister" fold into one word of the lexicon; how many they were is kept. */
function printedRelation(
  tokens: readonly Token[],
  match: TokenRange & { terms: readonly { text: string; meaning: string }[] },
): string {
  const printed = textOf(tokens.slice(match.from, match.to)).replace(/['’]s?$/, '')
  const exact = match.terms.find((term) => term.text.toLowerCase() === printed)
  return (exact ?? match.terms[0])?.meaning ?? printed
}

function together(tokens: readonly Token[], left: Relative, right: Relative): Relative | null {
  const between = textOf(tokens.slice(left.to, right.from))
  const range = { from: left.from, to: right.to }
  const isOwner = /['’]s?$/.test(tokens[left.to - 1]?.text ?? '')
  if (isOwner && /^\w*$/.test(between)) return { ...range, relation: relativeOf(left.relation, right.relation) }
  if (/^\(?(?:on|from|of) (?:the |her |his |my |their )?$/.test(`${between} `) && right.relation.endsWith(' side'))
    return { ...range, relation: relativeOf(right.relation, left.relation) }
  if (/^(?:and|&|\+) (?:(?:a|an|one|two|three|four|his|her|my|their|both) )*$/.test(`${between} `))
    return { ...range, relation: `${left.relation} and ${right.relation}` }
  if (between === ',' && /^(?:[;.)]|and|&|)$/i.test(tokens[right.to]?.text ?? ''))
    return { ...range, relation: `${left.relation}, ${right.relation}` }
  return null
}

const own = '(?:(?:a|an|the|his|her|my|their|one|both|two|of|first|older|younger|elder) )*'
const tiedAlways = new RegExp(`^(?:[a-z]+ ){0,2}(?:in|affecting|on) ${own}$`)
const tiedLoosely = new RegExp(`^(?:(?:\\(|-|–|—|:|=) ?|(?:of|with|from) )${own}$`)

/** "In her mother", "(father)", "- sister"; a bracket or dash speaks of the next relative where relatives come first. */
function tied(between: readonly Token[], isRelativeFirst: boolean): boolean {
  const words = between.length === 0 ? '' : `${textOf(between)} `
  return tiedAlways.test(words) || (!isRelativeFirst && tiedLoosely.test(words))
}

/** A semicolon or stop ends what was said of a relative; where the illness comes first, so does a comma. */
function isPassed(between: readonly Token[], isRelativeFirst: boolean): boolean {
  return between.some(({ text }) => text === ';' || text === '.' || (text === ',' && !isRelativeFirst))
}

function textOf(tokens: readonly Token[]): string {
  return tokens.map((token) => token.text.toLowerCase()).join(' ')
}
