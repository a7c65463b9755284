/** Forms that ask for the family name and the given names one by one. */
import type { FoundFact } from '../../document/found-fact.ts'
import { foundFact, trimmed, type Range, type Reading } from '../found.ts'
import { asksForSomeoneElse, isRemark } from './person-names.ts'

const word = "[\\p{L}\\p{M}'’.-]+"
const family = new RegExp(
  `(?:^|[\\t ]{1,3})(?<who>patient(?:['’]s)? )?(?:surname|family name|last name)\\s*[:\\t]\\s*(?<name>${word}(?: (?!(?:given|first|fore)\\w*\\b)${word}){0,2})`,
  'iu',
)
const given = new RegExp(
  `(?:^|[\\t ]{1,3})(?<who>patient(?:['’]s)? )?(?:given names?(?:\\(s\\))?|first names?(?:\\(s\\))?|forenames?)\\s*[:\\t]\\s*(?<name>${word}(?: (?!(?:surname|family|last|middle|dob|date|sex|title|prefer)\\w*\\b)${word}){0,3})`,
  'iu',
)
/** Lines between the two parts at most. */
const reach = 2

export function namesInParts(reading: Reading): FoundFact[] {
  const { lines, text } = reading.document
  const printed = ({ start, end }: Range) => text.slice(start, end).replace(/\s+/g, ' ')
  return lines.flatMap((line, place) => {
    const first = partOn(reading, place, family)
    if (!first || (line.kind === 'table_header' && line.cells.length !== 2) || isAfterSomeoneElse(reading, place))
      return []
    const near = [0, 1, 2, -1, -2].filter((step) => Math.abs(step) <= reach)
    const second = near.map((step) => partOn(reading, place + step, given)).find((found) => found !== null)
    if (!second) return []
    const whole = `${printed(first)}, ${printed(second)}`
    if (isRemark(printed(first)) || isRemark(printed(second))) return []
    const fact = foundFact(reading.document, {
      type: 'identity',
      name: first,
      detail: { identityKind: 'name' },
      parts: [['detail', second]],
      strength: 'strong',
    })
    return [{ ...fact, text: whole, value: whole }]
  })
}

function partOn(reading: Reading, place: number, pattern: RegExp): Range | null {
  const line = reading.document.lines[place]
  if (!line) return null
  const match = pattern.exec(reading.document.text.slice(line.start, line.start + line.length))
  const name = match?.groups?.['name']
  if (!match || name === undefined || !/^\p{Lu}/u.test(name)) return null
  const start = line.start + match.index + match[0].length - name.length
  return trimmed(reading.document.text, { start, end: start + name.length })
}

function isAfterSomeoneElse(reading: Reading, place: number): boolean {
  const { lines, sections, text } = reading.document
  const line = lines[place]
  const heading = line ? (sections[line.section]?.heading ?? '') : ''
  const above = lines.slice(Math.max(0, place - 3), place)
  return [heading, ...above.map(({ start, length }) => text.slice(start, start + length).replace(/\s*:\s*$/, ''))].some(
    (words) => words !== '' && asksForSomeoneElse(words),
  )
}
