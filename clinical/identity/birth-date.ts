import type { FoundDate } from '../document/found-fact.ts'

type PrintedBirth = Pick<FoundDate, 'iso' | 'printed' | 'certainty'>

/** A file may print the date on each page; one that is clearly another date outweighs those that agree. */
export function compareBirthDates(
  printed: readonly PrintedBirth[],
  known: string | null,
): 'equal' | 'differs' | 'none' {
  if (known === null || printed.length === 0) return 'none'
  const answers = printed.map((date) => compareOne(date, known))
  const hasEqual = answers.includes('equal')
  // Where the date agrees once, a reading of it that is one character off is the same date, misread.
  const differs = printed.filter(
    (date, index) => answers[index] === 'differs' && !(hasEqual && isOneOff(date.iso, known)),
  )
  if (differs.length > 0) return 'differs'
  return hasEqual ? 'equal' : 'none'
}

function compareOne(date: PrintedBirth, known: string): 'equal' | 'differs' | 'none' {
  const forms = [date.iso, ...swapped(date), ...otherCentury(date)]
  if (forms.includes(known)) return 'equal'
  const isPart = forms.some((form) => form.length < known.length && known.startsWith(form))
  // A year alone agrees with many people.
  return isPart ? 'none' : 'differs'
}

/** Day and month that nothing in the document settles may stand the other way round. */
function swapped(date: PrintedBirth): string[] {
  const [year, month, day] = date.iso.split('-')
  return date.certainty === 'printed' || year === undefined || month === undefined || day === undefined
    ? []
    : [`${year}-${day}-${month}`]
}

/** "08/11/32": two figures say nothing about the century. */
function otherCentury(date: PrintedBirth): string[] {
  if (!/\d{1,2}\D+\d{1,2}\D+\d{2}$/.test(date.printed) && !/\p{L}\D*\d{2}$/u.test(date.printed)) return []
  const century = date.iso.startsWith('20') ? '19' : '20'
  return [date, ...swapped(date).map((iso) => ({ iso }))].map(({ iso }) => `${century}${iso.slice(2)}`)
}

function isOneOff(a: string, b: string): boolean {
  return a.length === b.length && Array.from(a).filter((figure, index) => figure !== b[index]).length === 1
}
