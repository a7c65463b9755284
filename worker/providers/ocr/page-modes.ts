import type { OcrWord } from './provider.ts'

/**
 * Tesseract reads the same page differently by layout mode: 4 takes it as a column of print of any size and keeps the
 * rows of tables, 6 as one even block. 3 looks for columns and tears rows apart, 11 finds lone words wherever they stand, and
 * grain as well: it is for pages of which all else was taken away. Where boxes of two readings meet, the more confident one stands.
 */
export type PageMode = 4 | 6 | 11

export function mergeReadings(first: readonly OcrWord[], second: readonly OcrWord[]): OcrWord[] {
  const groups = overlapGroups(first, second)
  return groups.flatMap(([mine, theirs]) => {
    const [kept, other] = isBetter(theirs, mine) ? [theirs, mine] : [mine, theirs]
    return disagree(kept, other) ? doubted(pointed(kept, other)) : kept
  })
}

const sureAfterDisagreement = 0.55

/** Two readings of one number that differ: nobody should take either for certain. */
function disagree(kept: readonly OcrWord[], other: readonly OcrWord[]): boolean {
  const [a, b] = [figuresOf(kept), figuresOf(other)]
  return a !== b && a !== '' && b !== ''
}

function figuresOf(words: readonly OcrWord[]): string {
  const text = words.map((word) => word.text).join('')
  return /\d/u.test(text) ? text.replaceAll(/[^\d.,]/gu, '').replaceAll(/^[.,]+|[.,]+$/gu, '') : ''
}

// A point is lost far more often than one is made up, and a lost one makes a number ten times too great.
function pointed(kept: readonly OcrWord[], other: readonly OcrWord[]): readonly OcrWord[] {
  const [a, b] = [figuresOf(kept), figuresOf(other)]
  const isSameButPoint = a.replaceAll('.', '') === b.replaceAll('.', '')
  return isSameButPoint && b.includes('.') && !a.includes('.') ? other : kept
}

function doubted(words: readonly OcrWord[]): OcrWord[] {
  return words.map((word) => ({ ...word, confidence01: Math.min(word.confidence01, sureAfterDisagreement) }))
}

type Group = readonly [mine: OcrWord[], theirs: OcrWord[]]

/** Words of both readings that share a place, transitively. */
function overlapGroups(first: readonly OcrWord[], second: readonly OcrWord[]): Group[] {
  const groups: Group[] = first.map((word) => [[word], []])
  const groupOf = new Map(groups.map((group) => [group[0][0], group]))
  for (const word of second) {
    const met = [...new Set(first.filter((other) => overlaps(word, other)).map((other) => groupOf.get(other)))]
    const [home, ...others] = met.filter((group) => group !== undefined)
    if (home === undefined) {
      groups.push([[], [word]])
      continue
    }
    home[1].push(word)
    for (const other of others) absorb(home, other, groupOf)
  }
  return groups.filter(([mine, theirs]) => mine.length + theirs.length > 0)
}

function absorb(home: Group, other: Group, groupOf: Map<OcrWord | undefined, Group>): void {
  for (const word of other[0]) groupOf.set(word, home)
  home[0].push(...other[0].splice(0))
  home[1].push(...other[1].splice(0))
}

function overlaps(a: OcrWord, b: OcrWord): boolean {
  const width = Math.min(a.box[2], b.box[2]) - Math.max(a.box[0], b.box[0])
  const height = Math.min(a.box[3], b.box[3]) - Math.max(a.box[1], b.box[1])
  if (width <= 0 || height <= 0) return false
  return width * height > 0.3 * Math.min(areaOf(a), areaOf(b))
}

function areaOf({ box }: OcrWord): number {
  return (box[2] - box[0]) * (box[3] - box[1])
}

function isBetter(theirs: readonly OcrWord[], mine: readonly OcrWord[]): boolean {
  return scoreOf(theirs) > scoreOf(mine) + 0.02
}

function scoreOf(words: readonly OcrWord[]): number {
  const letters = words.reduce((sum, { text }) => sum + text.length, 0)
  return letters === 0
    ? 0
    : words.reduce((sum, { text, confidence01 }) => sum + text.length * confidence01, 0) / letters
}

/** Specks, rules and frames come out as lone marks of little confidence; they are nobody's words. */
export function withoutSpecks(words: readonly OcrWord[], dpi: number): OcrWord[] {
  return words.filter(({ text, confidence01, box }) => {
    const height = box[3] - box[1]
    const width = box[2] - box[0]
    if (text.trim() === '' || height > dpi * 1.2 || width < 2 || height < 2) return false
    if (/^[|_\\/[\]{}~^`'".,:;—–=-]+$/u.test(text)) return confidence01 > 0.6 && height < dpi * 0.25
    return confidence01 > 0.08
  })
}
