/** How often, as a code in the form of `sig.tsv`: "every 6 hours" is 4/d, "Mon/Wed/Fri" 3/wk, "every 10 days" 1/10d. */
const numbers: Readonly<Record<string, number>> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  eight: 8,
  ten: 10,
  twelve: 12,
  once: 1,
  twice: 2,
  thrice: 3,
  other: 2,
  second: 2,
  third: 3,
}
const units: Readonly<Record<string, string>> = { day: 'd', week: 'wk', month: 'mo', year: 'a', night: 'd' }
const adverbs: Readonly<Record<string, string>> = { daily: 'd', weekly: 'wk', monthly: 'mo', nightly: 'd', yearly: 'a' }
const days = /\b(?:mon|tue|wed|thu|fri|sat|sun)/g

/** Null where the words do not say it. */
export function codeOfWords(printed: string): string | null {
  const words = printed
    .toLowerCase()
    .replace(/\([a-z]+\)/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const weekdays = new Set(words.match(days) ?? []).size
  if (weekdays > 0) return `${weekdays}/wk`
  return codeOfInterval(words) ?? codeOfTimes(words)
}

/** "every 4 to 6 hours", "q8h", "each 10 days" */
function codeOfInterval(words: string): string | null {
  const match =
    /^(?:every|each|q)\s?(\d+|[a-z]+(?=\s|h))?\s?(?:(?:-|to|or)\s?(\d+|[a-z]+))?\s?(hour|hr|h|day|week|wk|month|min)/.exec(
      words,
    )
  if (!match) return null
  const from = numberOf(match[1] ?? '1')
  const to = match[2] === undefined ? from : numberOf(match[2])
  const unit = match[3] ?? ''
  if (from === null || to === null || unit === 'min') return null
  if (unit.startsWith('h')) return codeOfHours(from, to)
  if (from !== to) return null
  return `1/${from === 1 ? '' : from}${units[unit] ?? 'wk'}`
}

function codeOfHours(from: number, to: number): string | null {
  const times = [24 / to, 24 / from]
  if (from > 24 || times.some((count) => !Number.isInteger(count))) return null
  return from === to ? `${times[0]}/d` : `${times[0]}-${times[1]}/d`
}

/** "2 times a day", "once or twice a day", "three times weekly" */
function codeOfTimes(words: string): string | null {
  const match =
    /^(\d+|[a-z]+)(?: ?(?:times|x))?(?:(?: or |-| to )(\d+|[a-z]+)(?: times)?)? ?(?:(?:a|per|each|every|in a|\/) ?(day|week|month|year|night)|(daily|weekly|monthly|nightly|yearly))$/.exec(
      words,
    )
  const from = match?.[1] === undefined ? null : numberOf(match[1])
  const to = match?.[2] === undefined ? from : numberOf(match[2])
  const unit = units[match?.[3] ?? ''] ?? adverbs[match?.[4] ?? '']
  if (from === null || to === null || unit === undefined) return null
  return `${from === to ? from : `${from}-${to}`}/${unit}`
}

function numberOf(word: string): number | null {
  const number = /^\d+$/.test(word) ? Number(word) : numbers[word]
  return number === undefined || number === 0 ? null : number
}
