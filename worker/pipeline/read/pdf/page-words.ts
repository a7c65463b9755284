/**
 * Characters of a text layer → words. PDFium marks gaps and new lines; we also cut where the boxes say so, since
 * table cells often follow each other without a space.
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import { clampBox } from '../geometry.ts'
import { raisedText } from './glyph-text.ts'
import type { PdfCharacter, Stretch } from './page-characters.ts'

/** A word with what its neighbours on the line are judged by. */
export type LayerWord = Word & {
  readonly along: Stretch
  readonly angle: PdfCharacter['look']['angle']
  readonly font: number
  /** Glyphs that no letter is known for. */
  readonly unmapped: number
}

export function wordsOfCharacters(characters: readonly PdfCharacter[]): LayerWord[] {
  const words: LayerWord[] = []
  let run: Glyph[] = []
  let line = 0
  let gap: Gap = nothing()
  const flush = (): void => {
    const word = wordOf(run, line)
    if (word !== null) words.push(word)
    run = []
  }
  let previous: PdfCharacter | undefined
  for (const character of characters) {
    if (character.isSpace) {
      if (gap !== 'printed') gap = character.isGenerated ? 'guessed' : 'printed'
      continue
    }
    if (character.text === '') continue
    const step = previous === undefined ? 'same word' : stepBetween(previous, character, { gap, isTight: isTight(run) })
    const base = step === 'same word' ? baseOf(run) : undefined
    const isRaised = base !== undefined && isRaisedOver(base, character)
    if (step !== 'same word' || (isRaised && isMarkOfNote(run, character))) flush()
    if (step === 'new line') line++
    run.push({ character, isRaised })
    previous = character
    gap = nothing()
  }
  flush()
  return words
}

type Glyph = { readonly character: PdfCharacter; readonly isRaised: boolean }
type Step = 'same word' | 'new word' | 'new line'
/** What stands between two glyphs: nothing, a space that PDFium guessed (often wrongly), or a space of the file. */
type Gap = 'none' | 'guessed' | 'printed'

// A call keeps the compiler from believing that a gap is always 'none'.
const nothing = (): Gap => 'none'

/** In sizes of the font; kerning and letter spacing stay below, spaces between words do not. */
const widestGapInWord = { none: 0.22, guessed: 0.12, printed: Number.NEGATIVE_INFINITY }
/** Where the letters before stand close, a gap means something sooner. */
const widestGapInTightWord = { ...widestGapInWord, none: 0.14 }
const tightGap = 0.04

type Between = { readonly gap: Gap; readonly isTight: boolean }

function isTight(run: readonly Glyph[]): boolean {
  const [before, last] = run.slice(-2).map(({ character }) => character.along)
  if (before === undefined || last === undefined) return false
  return last.start - before.end < tightGap * last.size
}

function stepBetween(before: PdfCharacter, after: PdfCharacter, { gap, isTight }: Between): Step {
  if (before.look.angle !== after.look.angle) return 'new line'
  const { along: from } = before
  const { along: to } = after
  const size = Math.max(from.size, to.size, 1)
  const rise = Math.abs(to.baseline - from.baseline)
  if (rise > 0.8 * size) return 'new line'
  const isBack = to.start < from.start - 0.1 * size
  // Closely set lines are hardly further apart than raised figures; the pen that went down and back began a new one.
  if (isBack && rise > 0.3 * Math.min(from.size, to.size)) return 'new line'
  const isLeftwards = isBack && /[\p{Script=Hebrew}\p{Script=Arabic}]/u.test(after.text)
  const spaced = (isLeftwards ? from.start - to.end : to.start - from.end) / size
  if (spaced < -1.5) return 'new line'
  return spaced > (isTight ? widestGapInTightWord : widestGapInWord)[gap] ? 'new word' : 'same word'
}

function baseOf(run: readonly Glyph[]): PdfCharacter | undefined {
  return run.findLast(({ isRaised }) => !isRaised)?.character
}

function isRaisedOver({ along: base }: PdfCharacter, { along }: PdfCharacter): boolean {
  return along.size < 0.85 * base.size && base.baseline - along.baseline > 0.15 * base.size
}

/** A raised letter or figure behind a word points to a foot note; behind a unit it is a power, behind a figure "th". */
function isMarkOfNote(run: readonly Glyph[], { text }: PdfCharacter): boolean {
  if (run.at(-1)?.isRaised === true || /^[-+−]$/.test(text)) return false
  const before = run.map(({ character }) => character.text).join('')
  return /\p{L}{3}$/u.test(before) || (/\p{L}$/u.test(before) && /^\p{L}$/u.test(text))
}

function wordOf(run: readonly Glyph[], line: number): LayerWord | null {
  const [first] = run
  if (first === undefined) return null
  const text = run.map(({ character, isRaised }) => (isRaised ? raisedText(character.text) : character.text)).join('')
  const box = run.map(({ character }) => character.box).reduce(union)
  if (box[2] <= 0 || box[3] <= 0 || box[0] >= 1 || box[1] >= 1) return null
  const bold = run.filter(({ character }) => character.look.isBold).length
  const { angle, font } = first.character.look
  return {
    text: text.normalize('NFC'),
    confidence01: 1,
    box: clampBox(box),
    line,
    block: 0,
    isBold: bold * 2 > run.length,
    along: run.map(({ character }) => character.along).reduce(around),
    angle,
    font,
    unmapped: run.filter(({ character }) => character.isUnmapped).length,
  }
}

function union(a: Box, b: Box): Box {
  return [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])]
}

export function around(a: Stretch, b: Stretch): Stretch {
  return {
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    baseline: a.baseline,
    size: Math.max(a.size, b.size),
  }
}
