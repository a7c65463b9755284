/**
 * The stretches of text inside which a statement holds: sentences of paragraphs, list items, pairs and table rows.
 * No cue reaches beyond its segment, and no segment reaches beyond its section.
 */
import type { Line, MappedDocument } from '../../document/mapped.ts'
import { medicineLexicon } from '../../terminology/concepts.ts'
import { matchAt } from '../../terminology/lexicon.ts'
import { tokenise, type Token } from '../../terminology/tokens.ts'
import { findBoxesToTick, type BoxesToTick } from './boxes-to-tick.ts'
import { proseWords } from '../conditions/condition-words.ts'
import type { LineRole } from './line-roles.ts'
import { inlineRole, type SectionRole } from './section-role.ts'

export type SegmentKind = 'sentence' | 'item' | 'pair' | 'row' | 'heading'
export type Segment = {
  readonly kind: SegmentKind
  readonly start: number
  readonly end: number
  readonly role: SectionRole
  /** Lines [firstLine, endLine) */
  readonly firstLine: number
  readonly endLine: number
  readonly tokens: readonly Token[]
}

type Block = { kind: SegmentKind; start: number; end: number; role: SectionRole; firstLine: number; endLine: number }

export function segmentDocument(document: MappedDocument, roles: readonly LineRole[]): Segment[] {
  const boxes = findBoxesToTick(document)
  return blocksOf(document, roles).flatMap((block) => splitBlock(document, block, boxes))
}

/** A paragraph's lines belong together as long as the line above is full and does not end a statement. */
function blocksOf(document: MappedDocument, roles: readonly LineRole[]): Block[] {
  const blocks: Block[] = []
  const widths = rightEdges(document)
  document.lines.forEach((line, place) => {
    const opened = roles[place]
    if (!opened || line.kind === 'furniture' || line.kind === 'table_header' || line.length === 0) return
    const kind = opened.isHeading ? 'heading' : kindOf(line)
    const last = blocks.at(-1)
    const above = document.lines[place - 1]
    const isSame = last?.endLine === place && kind === 'sentence' && !opened.isLabelled
    if (last && above && isSame && continues(document, last, above, line, widths)) {
      last.end = line.start + line.length
      last.endLine = place + 1
      return
    }
    const end = line.start + line.length
    blocks.push({ kind, start: line.start, end, role: opened.role, firstLine: place, endLine: place + 1 })
  })
  return blocks
}

function kindOf(line: Line): SegmentKind {
  if (line.kind === 'heading') return 'sentence'
  if (line.kind === 'list_item') return 'item'
  if (line.kind === 'key_value') return 'pair'
  return line.kind === 'table_row' ? 'row' : 'sentence'
}

function continues(
  document: MappedDocument,
  block: Block,
  above: Line,
  line: Line,
  widths: Map<number, number>,
): boolean {
  if (block.kind === 'row' || block.kind === 'heading') return false
  if (above.section !== line.section) return false
  const aboveText = document.text.slice(above.start, above.start + above.length)
  const text = document.text.slice(line.start, line.start + line.length)
  if (/^(?:[eo]\s(?=\p{Lu})|[^\p{L}\p{N}\s("'])/u.test(text)) return false
  if (
    isOfMedicines(block.role) &&
    leadsWithMedicine(text) &&
    leadsWithMedicine(aboveText) &&
    !/[,(&/-]\s*$|\band$/.test(aboveText)
  )
    return false
  if (/^\p{Ll}/u.test(text) && !/[.:]$/.test(aboveText)) return true
  if (/^\p{Lu}[^:]{0,40}:\s/u.test(text)) return false
  if (above.page !== line.page) return false
  // Entries that each begin with their day, or with a medicine, go on by nobody's width.
  if (leadingDay.test(text) && leadingDay.test(document.text.slice(block.start, block.start + 16))) return false
  if (
    lists.has(block.role.slug ?? '') &&
    /^\p{Lu}/u.test(text) &&
    !proseWords.test(aboveText) &&
    !/[,;–-]$/.test(aboveText)
  )
    return false
  const isFull = aboveText.length >= 55 && above.box[2] >= 0.8 * (widths.get(above.page) ?? 1)
  return isFull && (block.kind !== 'pair' || !/[.:;]$/.test(aboveText))
}

const leadingDay = /^\d{1,4}[ ./-](?:\d{1,2}|\p{L}{3,9})[ ./-]\d{2,4}\b/u
const isOfMedicines = ({ slug }: SectionRole) => slug?.endsWith('medications') === true

/** "eye drops Xalatan one drop": the form may stand first. */
function leadsWithMedicine(line: string): boolean {
  const tokens = tokenise(line.slice(0, 60))
  return [0, 1, 2].some((place) => matchAt(medicineLexicon(), tokens, place) !== null)
}

/** Where each line is an entry, a full line does not run on into one that begins anew. */
const lists: ReadonlySet<string> = new Set(['past-medical-history', 'past-surgical-history', 'problem-list'])

function rightEdges(document: MappedDocument): Map<number, number> {
  const edges = new Map<number, number>()
  for (const line of document.lines) {
    if (line.kind !== 'furniture') edges.set(line.page, Math.max(edges.get(line.page) ?? 0, line.box[2]))
  }
  return edges
}

const abbreviation =
  /\b(?:dr|mr|mrs|ms|prof|st|no|vs|approx|dept|ext|fig|pt|hx|wk|yr|hr|min|max|inc|jr|sr|ave|rd|e\.g|i\.e|etc|cf|al|(?<!\/)[a-z])\.$/i

function splitBlock(document: MappedDocument, block: Block, boxes: BoxesToTick): Segment[] {
  const whole = [[block.start, block.end] as const]
  const ranges = block.kind === 'row' || block.kind === 'heading' ? whole : sentenceRanges(document.text, block)
  return ranges
    .flatMap((range) => shortened(document.text, range))
    .flatMap(boxes.saidIn)
    .map(([start, end]) => {
      const role = block.kind === 'heading' ? block.role : (sentenceRole(document.text, start, end) ?? block.role)
      const tokens = tokenise(document.text, start, end)
        .filter((token) => boxes.isPrinted(token.start))
        .map((token) => answered(token, boxes))
      return { ...block, start, end, role, tokens }
    })
}

/** A tick in a column of answers is read as the word that heads it. */
function answered(token: Token, boxes: BoxesToTick): Token {
  const answer = boxes.answerAt(token.start)
  return answer === null ? token : { ...token, text: answer, key: answer, startsCell: true }
}

/** No sentence is this long; text that was made to be would take quadratic time wherever words are compared with words. */
const longestSegment = 1_500

function shortened(text: string, [start, end]: readonly [number, number]): (readonly [number, number])[] {
  const pieces: (readonly [number, number])[] = []
  let from = start
  while (end - from > longestSegment) {
    const space = text.lastIndexOf(' ', from + longestSegment)
    const to = space > from ? space : from + longestSegment
    pieces.push([from, to])
    from = to
  }
  return [...pieces, [from, end]]
}

export function sentenceRole(text: string, start: number, end: number): SectionRole | null {
  const label = /^\s*([^\n:.;]{2,40}):/.exec(text.slice(start, Math.min(end, start + 60)))?.[1]
  return label === undefined ? null : inlineRole(label)
}

function sentenceRanges(text: string, { start, end }: Block): (readonly [number, number])[] {
  const ranges: (readonly [number, number])[] = []
  let from = start
  let number = /^\s*(?:[^\n:]{1,40}:\s*)?1\.\s/.test(text.slice(start, Math.min(end, start + 60))) ? 1 : null
  for (const match of text
    .slice(start, end)
    .matchAll(/[.!?](?=\s+(?:["'(\p{Lu}\d•–-]|\?\p{L})|(?<=\p{Ll}[.!?])\p{Lu}\p{Ll}|\s*$)/gu)) {
    const stop = start + match.index + 1
    // "1. Hypertension 2. Obesity" in one line: the second number begins the second statement.
    if (number !== null && new RegExp(`\\s${number + 1}\\.$`).test(text.slice(from, stop))) {
      number += 1
      const before = stop - `${number}.`.length
      if (text.slice(from, before).trim() !== '') ranges.push([from, before])
      from = before
      continue
    }
    if (isAbbreviated(text, from, stop)) continue
    if (text[stop - 1] === '?' && answersQuestion.test(text.slice(stop, Math.min(end, stop + 24)))) continue
    if (text.slice(from, stop).trim() !== '') ranges.push([from, stop])
    from = stop
  }
  if (text.slice(from, end).trim() !== '') ranges.push([from, end])
  return ranges
}

/** "Do you have asthma? No" is one statement. */
const answersQuestion =
  /^\s+(?:[Yy]es|YES|[Nn]o|NO|[YyNn]|[Nn]il|NIL|[Nn]one|[Nn]ever|[Dd]enie[sd]|[Uu]nsure|[Uu]nknown|[Nn]ot (?:sure|asked|known)|[Pp]ositive|[Nn]egative|[Nn]\/[Aa])(?:\s*(?:[.,;:()–-]|$)|\s+[A-Z]|(?<=[Yy]es)\s)/

function isAbbreviated(text: string, from: number, stop: number): boolean {
  const before = text.slice(Math.max(from, stop - 8), stop)
  if (text[stop - 1] === '?') return /^[\s/(]?$/.test(text.slice(Math.max(from, stop - 2), stop - 1))
  // Dots that lead from a question to its answer.
  if (/\.{3}$/.test(text.slice(Math.max(from, stop - 3), stop))) return true
  return text[stop - 1] === '.' && (abbreviation.test(before) || /^\s*\d{1,2}\.$/.test(text.slice(from, stop)))
}

/** The tokens [from, to) that the range covers. */
export function tokensOf(
  segment: Segment,
  range: { readonly start: number; readonly end: number },
): { from: number; to: number } {
  const from = segment.tokens.findIndex((token) => token.end > range.start)
  const to = segment.tokens.findIndex((token) => token.start >= range.end)
  return { from: from < 0 ? segment.tokens.length : from, to: to < 0 ? segment.tokens.length : to }
}
