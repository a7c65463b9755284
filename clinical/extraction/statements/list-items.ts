/** Enumerations: what stands between semicolons, bullets or, where the parts are short, commas. Brackets are never cut. */
import { trimmed, type Range } from '../found.ts'

const longestItemWords = 8

export function splitItems(text: string, from: number, to: number): Range[] {
  const bySemicolon = cut(text, from, to, /[;|•\t]/)
  const items = bySemicolon.flatMap((item) => {
    const byComma = cut(text, item.start, item.end, /,(?!\d)|\s&\s|\band\b(?=\s+\S+(?:\s+\S+){0,3}\s*\.?$)/)
    return byComma.length > 1 && byComma.every((part) => wordCount(text, part) <= longestItemWords) ? byComma : [item]
  })
  return items.map((item) => bare(text, item)).filter((item) => item.end > item.start)
}

/** Numbers and bullets; scans turn bullets into ©, ¢, ° or a lone e. */
const listMark = /^(?:(?:[([]?\d{1,2}[.)\]](?!\d)|[^\p{L}\p{N}\s("'?<>~+-]|[eo](?=\s\p{Lu}))\s*)+(?=\S)/u

/** Without bullet, number, trailing stop or closing bracket that was never opened. */
export function bare(text: string, range: Range): Range {
  const cleaned = trimmed(text, range, /[\s:;,.•*–—-]/)
  const lead = listMark.exec(text.slice(cleaned.start, cleaned.end))?.[0].length ?? 0
  return trimmed(text, { start: cleaned.start + lead, end: cleaned.end }, /[\s:;,.•*–—-]/)
}

export function wordCount(text: string, range: Range): number {
  return text.slice(range.start, range.end).trim().split(/\s+/).length
}

function cut(text: string, from: number, to: number, separator: RegExp): Range[] {
  const ranges: Range[] = []
  let start = from
  let depth = 0
  const pattern = new RegExp(separator.source, 'gy')
  for (let at = from; at < to; at += 1) {
    const letter = text[at] ?? ''
    if (letter === '(' || letter === '[') depth += 1
    if (letter === ')' || letter === ']') depth = Math.max(0, depth - 1)
    if (depth > 0) continue
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (!match || match[0] === '') continue
    ranges.push({ start, end: at })
    at += match[0].length - 1
    start = at + 1
  }
  return [...ranges, { start, end: to }].filter((range) => text.slice(range.start, range.end).trim() !== '')
}
