import type { OcrWord } from './provider.ts'

const wordLevel = '5'

/** Words of tesseract's table output: level, page, block, paragraph, line, word, left, top, width, height, conf, text. */
export function wordsOfTsv(tsv: string): OcrWord[] {
  const lines = new Map<string, OcrWord[]>()
  for (const row of tsv.split('\n')) {
    const [level, , block, paragraph, line, , left, top, width, height, confidence, ...text] = row.split('\t')
    const printed = text.join('\t').trim()
    if (level !== wordLevel || printed === '') continue
    const key = `${block}/${paragraph}/${line}`
    const words = lines.get(key) ?? []
    const [x, y] = [Number(left), Number(top)]
    words.push({
      text: printed,
      confidence01: Math.min(1, Math.max(0, Number(confidence) / 100)),
      box: [x, y, x + Number(width), y + Number(height)],
      line: words[0]?.line ?? lines.size,
      block: Number(block),
    })
    lines.set(key, words)
  }
  return [...lines.values()].flatMap(withOwnBoxes).flatMap(withoutGluedFlags)
}

/**
 * Where tesseract could not tell which strokes are whose, a word gets a box that reaches over its neighbours ("Pantoprazole"
 * over the whole of "Pantoprazole 40 mg tablet"). Of two words that overlap, the one too wide for its letters ends
 * where the other begins.
 */
function withOwnBoxes(words: readonly OcrWord[]): OcrWord[] {
  const widths = words.map(({ text, box }) => (box[2] - box[0]) / text.length).toSorted((a, b) => a - b)
  const letter = widths[Math.floor(widths.length / 2)] ?? 1
  const boxes = words.map(({ box }) => [...box] as [number, number, number, number])
  for (let index = 1; index < words.length; index++) {
    const [before, here] = [boxes[index - 1], boxes[index]]
    if (before === undefined || here === undefined || before[2] <= here[0] + 0.2 * letter) continue
    const stretch = (box: Box, word: OcrWord | undefined): number => (box[2] - box[0]) / (word?.text.length ?? 1)
    const isBeforeTooWide = stretch(before, words[index - 1]) >= stretch(here, words[index])
    if (isBeforeTooWide && here[0] > before[0]) before[2] = Math.max(before[0] + 1, here[0] - 0.3 * letter)
    else if (before[2] < here[2]) here[0] = Math.min(here[2] - 1, before[2] + 0.3 * letter)
  }
  return words.map((word, index) => ({ ...word, box: boxes[index] ?? word.box }))
}

type Box = OcrWord['box']

/** A result and its flag in one: "2.45H", "*12L". No number ends in these letters by itself. */
const glued = /^(\*?)([<>]?\d+(?:[.,]\d+)?)([HL]{0,2})$/u

function withoutGluedFlags(word: OcrWord): OcrWord[] {
  const parts = (glued.exec(word.text)?.slice(1) ?? []).filter((part) => part !== '')
  if (parts.length < 2) return [word]
  const [left, top, right, bottom] = word.box
  const step = (right - left) / word.text.length
  let before = 0
  return parts.map((text) => {
    const from = left + step * before
    before += text.length
    return { ...word, text, box: [from, top, left + step * before, bottom] }
  })
}
