/**
 * Characters of a text layer → words. PDFium marks gaps and new lines; we also cut where the boxes say so, since
 * table cells often follow each other without a space.
 */
import type { Box, Word } from '../../../../clinical/document/page.ts'
import { clampBox } from '../geometry.ts'
import { linesOfGlyphs } from './glyph-lines.ts'
import type { Glyph } from './glyph-lines.ts'
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
  return linesOfGlyphs(characters).flatMap((glyphs, line) => wordsOfLine(glyphs, line))
}

type Printed = Glyph & { readonly isRaised: boolean }

function wordsOfLine(glyphs: readonly Glyph[], line: number): LayerWord[] {
  const spacing = letterSpacing(glyphs)
  const runs: Printed[][] = []
  for (const glyph of glyphs) {
    const run = runs.at(-1)
    const isNew = run === undefined || startsWord(glyph, run, spacing)
    const base = isNew ? undefined : run.findLast(({ isRaised }) => !isRaised)?.character
    const isRaised = base !== undefined && isRaisedOver(base, glyph.character)
    if (isNew || (isRaised && isMarkOfNote(run, glyph.character))) runs.push([{ ...glyph, isRaised }])
    else run.push({ ...glyph, isRaised })
  }
  return runs.flatMap((run) => wordOf(run, line) ?? [])
}

/** In sizes of the font; kerning stays below, spaces between words do not. */
const widestGapInWord = { none: 0.22, guessed: 0.12, printed: Number.NEGATIVE_INFINITY }
/** Where the letters before stand close, a gap means something sooner. */
const widestGapInTightWord = { ...widestGapInWord, none: 0.14 }
const tightGap = 0.04

function startsWord({ gap, spaced, character }: Glyph, run: readonly Printed[], spacing: LetterSpacing): boolean {
  const [, ...later] = run
  const isTight = (later.at(-1)?.spaced ?? 1) < tightGap
  const usual = spacing.get(styleOf(character)) ?? 0
  return spaced > (isTight ? widestGapInTightWord : widestGapInWord)[gap] + 1.4 * usual
}

/** By font and size: how far letters were set apart from each other, in sizes of the font. */
type LetterSpacing = ReadonlyMap<string, number>

const fewestPairs = 4
const leastSpacing = 0.05
/** What stands further apart are cells of a table. */
const mostSpacing = 1.2

function letterSpacing(glyphs: readonly Glyph[]): LetterSpacing {
  const pairs = Map.groupBy(
    glyphs.filter(
      ({ gap, character }, i) =>
        i > 0 && gap !== 'printed' && isLetter(character) && isLetter(glyphs[i - 1]?.character),
    ),
    ({ character }) => styleOf(character),
  )
  const found = new Map<string, number>()
  for (const [style, pair] of pairs) {
    const middle = pair.map(({ spaced }) => spaced).toSorted((a, b) => a - b)[Math.floor(pair.length / 2)] ?? 0
    if (pair.length >= fewestPairs && middle > leastSpacing && middle < mostSpacing) found.set(style, middle)
  }
  return found
}

function styleOf({ look }: PdfCharacter): string {
  return `${look.font} ${look.size}`
}

function isLetter(character: PdfCharacter | undefined): boolean {
  return character !== undefined && /^\p{L}/u.test(character.text)
}

function isRaisedOver({ along: base }: PdfCharacter, { along }: PdfCharacter): boolean {
  return along.size < 0.85 * base.size && base.baseline - along.baseline > 0.15 * base.size
}

/** A raised letter or figure behind a word points to a foot note; behind a unit it is a power, behind a figure "th". */
function isMarkOfNote(run: readonly Printed[], { text }: PdfCharacter): boolean {
  if (run.at(-1)?.isRaised === true || /^[-+−]$/.test(text)) return false
  const before = run.map(({ character }) => character.text).join('')
  return /\p{L}{3}$/u.test(before) || (/\p{L}$/u.test(before) && /^\p{L}$/u.test(text))
}

function wordOf(run: readonly Printed[], line: number): LayerWord | null {
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
