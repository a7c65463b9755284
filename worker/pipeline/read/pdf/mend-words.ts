/** Two habits of typesetting that make words come out wrong: printing twice for bold, and spacing out letters. */
import type { Box } from '../../../../clinical/document/page.ts'
import { around } from './page-words.ts'
import type { LayerWord } from './page-words.ts'

/** Bold type is sometimes the same word printed twice, a hair apart. */
export function withoutDoubles(words: readonly LayerWord[]): LayerWord[] {
  const kept = new Map<string, LayerWord[]>()
  const doubled = new Set<LayerWord>()
  const left = words.filter((word) => {
    const same = kept.get(word.text) ?? []
    const first = same.find((other) => isOver(other.box, word.box))
    if (first !== undefined) doubled.add(first)
    else kept.set(word.text, [...same, word])
    return first === undefined
  })
  return left.map((word) => (doubled.has(word) ? { ...word, isBold: true } : word))
}

function isOver(a: Box, b: Box): boolean {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  const whole = Math.max((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))
  return width > 0 && height > 0 && width * height > 0.5 * whole
}

const fewestLetters = 4
/** In sizes of the font. */
const widestSpacing = 1.2
/** Of the usual gap within the run: the gap to the next word is wider. */
const gapOfWords = 1.6

/** "R E S U L T S" is one word. */
export function withSpacedLettersJoined(words: readonly LayerWord[]): LayerWord[] {
  const joined: LayerWord[] = []
  for (let i = 0; i < words.length;) {
    const run = spacedRun(words, i)
    const word = words[i]
    if (run.length >= fewestLetters) joined.push(...joinRun(run))
    else if (word !== undefined) joined.push(word)
    i += run.length >= fewestLetters ? run.length : 1
  }
  return joined
}

/** Letters one by one on a line from `from` on. */
function spacedRun(words: readonly LayerWord[], from: number): LayerWord[] {
  const run: LayerWord[] = []
  for (const word of words.slice(from, from + 200)) {
    const before = run.at(-1)
    if (!/^[\p{L}&]\p{P}?$/u.test(word.text)) break
    if (before !== undefined && !isNext(before, word)) break
    run.push(word)
  }
  return run
}

function isNext(before: LayerWord, word: LayerWord): boolean {
  const gap = word.along.start - before.along.end
  return (
    before.line === word.line && before.angle === word.angle && gap > 0 && gap < 2.5 * widestSpacing * before.along.size
  )
}

function joinRun(run: readonly LayerWord[]): LayerWord[] {
  const gaps = run.slice(1).map((word, i) => word.along.start - (run[i]?.along.end ?? 0))
  const usual = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0
  const [first] = run
  if (first === undefined || usual > widestSpacing * first.along.size) return [...run]
  const words: LayerWord[] = [first]
  for (const [i, word] of run.slice(1).entries()) {
    const last = words.at(-1)
    if (last === undefined || (gaps[i] ?? 0) > gapOfWords * usual) words.push(word)
    else words[words.length - 1] = glue(last, word)
  }
  return words
}

function glue(a: LayerWord, b: LayerWord): LayerWord {
  const box: Box = [
    Math.min(a.box[0], b.box[0]),
    Math.min(a.box[1], b.box[1]),
    Math.max(a.box[2], b.box[2]),
    Math.max(a.box[3], b.box[3]),
  ]
  return { ...a, text: a.text + b.text, box, along: around(a.along, b.along), unmapped: a.unmapped + b.unmapped }
}
