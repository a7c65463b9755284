/** Who the document says that it is about, as printed. Nothing here is compared with a profile. */
import type { FoundFact } from '../document/found-fact.ts'
import type { Line } from '../document/mapped.ts'
import { foundDate } from './dated-context.ts'
import { foundFact, trimmed, type Range, type Reading } from './found.ts'

const title = '(?:Mr|Mrs|Ms|Miss|Mx|Master|Dr|Prof)\\.?\\s+'
const part = "\\p{Lu}[\\p{L}'’-]*"
const personName = `(?:${title})?(?:${part},\\s?${part}(?: ${part}){0,2}|${part}(?: (?:de|van|von|der|la|del|bin|al|Mc|Mac|O'|\\p{Lu}\\.)?\\s?${part}){1,3})`
const labelled =
  /^(?:patient(?:'s)?(?: name)?|name(?: of patient)?|full name|pt(?: name)?|client(?: name)?)\s*[:\t]\s*/i
const subject = new RegExp(`\\b(?:RE|Re|Regarding|Subject)\\s*:?\\s+(${personName})`, 'u')
const beforeBirth = new RegExp(
  `^(${personName})(?=\\s*[,\\t ]\\s*(?:DOB|D\\.O\\.B|Date of birth|Born|\\(DOB|born)\\b)`,
  'u',
)
/** Forms print the label and the name side by side, with nothing between. */
const unmarked = /^(?:patient(?: name)?|name|full name)\s+(?=\p{Lu})/iu
const wholeName = new RegExp(`^${personName}$`, 'u')
const notPerson =
  /\b(?:my|list|copy|record|requested|referred|doctor|dr)\b|hospital|clinic|centre|center|laborator|patholog|report|summary|medic|prescription|health|letter|practice|information|details|street|road|avenue|birth|diagnostic|imaging|radiolog|group|services?|final|collected|specimen/i
const leadingName = new RegExp(`^(${personName})`, 'u')
const identifiers: readonly (readonly [string, RegExp])[] = [
  [
    'medicare_number',
    /\bMedicare(?: (?:card|number|no))*\.?[:\s#]*([2-6]\d{3}[ -]?\d{5}[ -]?\d(?:\s?[-/]\s?\d)?)(?!\d)/i,
  ],
  ['ihi', /\b(8003\s?6\d{2}\d?\s?\d{4}\s?\d{4,5})(?!\d)/],
  [
    'mrn',
    /\b(?:MRN|URN?|UR(?: no)?|Medical record (?:no|number)|Patient (?:ID|number|no)|Hospital (?:no|number)|ID|Chart(?: no| #)?|Record (?:no|number))\.?\s*[:#\t ]\s*#?\s*([A-Z]{0,4}[\dA-Z-]{4,14})(?![\w])/,
  ],
  ['sex', /\b(?:sex|gender)\s*[:\t ]\s*(male|female|M|F|X|non-binary|other)\b/i],
]

export function findIdentity(reading: Reading): FoundFact[] {
  const births = reading.dates.dates.filter((date) => date.label === 'birth')
  const birthLines = new Set(births.map((birth) => birth.line))
  const facts = births.map((date) =>
    identityFact(reading, { start: date.start, end: date.end }, 'date_of_birth', foundDate(date, 'birth')),
  )
  reading.document.lines.forEach((line, place) => {
    for (const cellStart of [line.start, ...line.cells.map((cell) => cell.start)]) {
      const name = nameAt(reading, line, cellStart)
      if (name) facts.push(identityFact(reading, name, 'name', null))
    }
    facts.push(...identifiersIn(reading, line), ...nameNearBirth(reading, place, birthLines))
  })
  return facts
}

function identityFact(reading: Reading, range: Range, identityKind: string, date: FoundFact['date']): FoundFact {
  const fact = foundFact(reading.document, {
    type: 'identity',
    name: range,
    date,
    detail: { identityKind },
    strength: 'strong',
  })
  return { ...fact, value: fact.text }
}

function nameAt(reading: Reading, line: Line, from: number): Range | null {
  const text = reading.document.text
  const slice = text.slice(from, Math.min(line.start + line.length, from + 120))
  const skipped = labelled.exec(slice)?.[0].length ?? 0
  const match = skipped > 0 ? leadingName.exec(slice.slice(skipped)) : (subject.exec(slice) ?? beforeBirth.exec(slice))
  if (!match?.[1] || isProvider(slice, match[1])) return null
  const start = from + skipped + match.index + match[0].indexOf(match[1])
  return trimmed(text, { start, end: start + withoutLabels(match[1]).length })
}

/** "SCHADEN, ISAIAH", "Mrs Noreen WEBB" or "WEBB Noreen" alone in a cell beside or just above the birth date. */
function nameNearBirth(reading: Reading, place: number, birthLines: ReadonlySet<number>): FoundFact[] {
  const line = reading.document.lines[place]
  if (!line || ![place, place + 1, place + 2].some((near) => birthLines.has(near))) return []
  return line.cells.flatMap((cell) => {
    const text = reading.document.text.slice(cell.start, cell.start + cell.length)
    const lead = unmarked.exec(text)?.[0].length ?? 0
    const bare = text
      .slice(lead)
      .replace(/\s*\((?:Mrs?|Ms|Miss|M|F|male|female)\)\s*$/i, '')
      .trimEnd()
    const isPerson =
      lead > 0 ||
      /,/.test(bare) ||
      new RegExp(`^${title}`).test(bare) ||
      /\b\p{Lu}{3,}\b/u.test(bare) ||
      line.cells.length === 1
    if (!isPerson || !wholeName.test(bare) || isProvider(bare, bare) || notPerson.test(bare)) return []
    const start = cell.start + lead
    return [identityFact(reading, { start, end: start + bare.length }, 'name', null)]
  })
}

function identifiersIn(reading: Reading, line: Line): FoundFact[] {
  const text = reading.document.text.slice(line.start, line.start + line.length)
  return identifiers.flatMap(([kind, pattern]) => {
    const match = pattern.exec(text)
    if (!match?.[1] || (kind === 'mrn' && !/\d/.test(match[1]))) return []
    const start = line.start + match.index + match[0].lastIndexOf(match[1])
    return [identityFact(reading, { start, end: start + match[1].length }, kind, null)]
  })
}

function isProvider(slice: string, name: string): boolean {
  return (
    /^(?:Dr|Prof)\b/.test(name) ||
    new RegExp(
      `${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*,?\\s*(?:MD|MBBS|FRACGP|FRACP|FRACS|RN|NP|DO|PhD)\\b`,
    ).test(slice)
  )
}

/** The next label of the line is no part of the name ("Name: Ann Lee Date of birth"). */
function withoutLabels(name: string): string {
  return name.replace(
    /\s+(?:DOB|Date|Born|Sex|Gender|Age|MRN|URN?|ID|Medicare|Male|Female|Phone|Address|Provider|Ref)\b.*$/u,
    '',
  )
}
