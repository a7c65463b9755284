/** How much of a habit is printed: "20 pack-years", "3 standard drinks/week", "socially"; and when it ended. */
import type { FoundDate } from '../../document/found-fact.ts'
import type { HabitTopic } from '../../terminology/social-habits.ts'
import type { Range } from '../found.ts'

const count =
  '(?:[<>≤≥~]\\s?)?(?:\\d+(?:\\.\\d+)?(?:\\s?(?:-|–|to)\\s?\\d+(?:\\.\\d+)?)?\\+?|[½¼]|1\\/2|half(?: an?)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|a few|few|several|a couple of)'
const time = '(?:day|d|night|week|wk|weekend|fortnight|month|mth|year|yr)s?'
const rate = `(?:\\s?(?:\\/|per|an?|each|every|on)\\s?${time}\\b|\\s(?:daily|nightly|weekly|monthly))`
const years = '(?:\\s?(?:x|×|for)\\s?\\d+\\s?(?:years?|yrs?|y)\\b)?'

const drink =
  '(?:(?:standard|std)\\.?\\s)?(?:alcoholic\\s)?(?:drinks?|units?|beers?|wines?|(?:glass(?:es)?|bottles?|cans?|pints?|shots?)(?:\\sof\\s(?:red\\s|white\\s)?\\w+)?|stubb(?:y|ies)|schooners?|midd(?:y|ies)|SDs?|nips?|g(?:rams?)?)'
const smoke =
  '(?:pack[\\s-]?(?:years?|yrs?)(?:\\shistory)?|pkt[\\s-]?years?|PY\\b|PYH\\b|ppd\\b|(?:packs?|packets?|pkts?|cigarettes?|cigs?|cigars?|roll(?:ies|-?ups)|pouch(?:es)?|g|puffs?|ml)'

const amounts: Readonly<Record<HabitTopic, RegExp>> = {
  tobacco: new RegExp(`(?<![\\w./])${count}[\\s-]?(?:${smoke}${rate}))${years}`, 'i'),
  vaping: new RegExp(`(?<![\\w./])${count}[\\s-]?(?:${smoke}${rate})|mg\\b)`, 'i'),
  alcohol: new RegExp(
    `(?<![\\w./])${count}\\s?${drink}${rate}${years}|(?<![\\w./])\\d+(?:\\s?[-–]\\s?\\d+)?\\s(?:standard|std)\\sdrinks?`,
    'i',
  ),
  drugs: new RegExp(`(?<![\\w./])${count}\\s?(?:joints?|cones?|g|points?|times?|x)${rate}`, 'i'),
}
const howOften =
  /\b(?:soci?al(?:ly)?|occasional(?:ly)?|rare(?:ly)?|(?:(?:once|twice) )?(?:daily|weekly|monthly|nightly)|every (?:day|night|weekend)|most (?:days|nights)|(?:on )?weekends?(?: only)?|binge|heav(?:y|ily)|moderate(?:ly)?|minimal(?:ly)?|light(?:ly)?|special occasions|once (?:a|per) (?:week|month|year))\b/i
const quit =
  /\b(?:quit|ceased|stopped|gave up|given up|sober|abstinent|ex-?smoker|former smoker|not smoked|until|no (?:alcohol|drinks?))\b[^.;\d]{0,16}(?:(?<year>(?:19|20)\d\d)\b|(?<ago>\d+\s(?:years?|yrs?|months?|weeks?)\sago))/i

/** In [start, end) of the text. */
export function amountIn(text: string, topic: HabitTopic, { start, end }: Range): Range | null {
  const clause = text.slice(start, end)
  const match = amounts[topic].exec(clause) ?? howOften.exec(clause)
  return match ? { start: start + match.index, end: start + match.index + match[0].length } : null
}

/** The year in which somebody stopped. */
export function stoppedIn(text: string, { start, end }: Range): FoundDate | null {
  const year = quit.exec(text.slice(start, end))?.groups?.['year']
  return year === undefined ? null : { iso: year, printed: year, meaning: 'stopped', certainty: 'printed' }
}

/** "Quit 10 years ago" says how long, not when. */
export function stoppedAgo(text: string, { start, end }: Range): Range | null {
  const match = quit.exec(text.slice(start, end))
  const ago = match?.groups?.['ago']
  if (!match || ago === undefined) return null
  return { start: start + match.index, end: start + match.index + match[0].length }
}
