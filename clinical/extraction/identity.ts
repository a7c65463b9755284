/** Who the document says that it is about, as printed. Nothing here is compared with a profile. */
import type { FoundFact } from '../document/found-fact.ts'
import type { Line } from '../document/mapped.ts'
import { foundDate, type LabelledDate } from './dated-context.ts'
import { foundFact, trimmed, type Range, type Reading } from './found.ts'
import { identifiersOn } from './identifiers.ts'
import { namesInParts } from './name-parts.ts'
import { asksForSomeoneElse, isRemark, nameEvidence, personName, singleName } from './person-names.ts'

/** `plain`: nothing but its place beside the birth date says that the words are a name. */
type Candidate = Range & { readonly evidence: 'labelled' | 'marked' | 'plain'; readonly line: number }

const labelled =
  /^(?:(?:patient|pt\.?|client|resident|consumer|child|baby|member|full)(?:['’]?s)?(?:[ /]+name)?|name(?: of (?:patient|child|client|resident))?)(?:\s*\((?:last|first|family|given|surname|middle)[^)\n]{0,30}\))?\s*[:\t]\s*/i
const labelOfAnyone = /^(?:full )?name\b(?! of)/i
const subject = new RegExp(`\\b(?:(?:RE|Re|Regarding|Subject)\\s*:?|re:)\\s+(${personName})`, 'u')
const beforeBirth = new RegExp(
  `^(${personName})(?=\\s*[,\\t (|–-]{1,3}\\s*(?:DOB|D\\.\\s?O\\.\\s?B|[Dd]ate of birth|Birth ?date|Born|born)(?![\\p{L}\\p{N}]))`,
  'u',
)
/** Forms print the label and the name side by side, with nothing between. */
const unmarked = /^(?:patient(?: name)?|name|full name)\s+(?=\p{Lu})/iu
const leadingName = new RegExp(`^(${personName})`, 'u')
const onlyName = new RegExp(`^(${singleName})(?=\\s*(?:$|[\\t\\n,(|]))`, 'u')

export function findIdentity(reading: Reading): FoundFact[] {
  const births = reading.dates.dates.filter((date) => date.label === 'birth' && !isBirthOfAnother(reading, date))
  const birthLines = new Set(births.map((birth) => birth.line))
  const facts = births.map((date) =>
    identityFact(reading, { start: date.start, end: date.end }, 'date_of_birth', foundDate(date, 'birth')),
  )
  const candidates = reading.document.lines.flatMap((line, place) => [
    ...[line.start, ...line.cells.map((cell) => cell.start)].flatMap((start) =>
      nameAt(reading, line, place, start, birthLines),
    ),
    ...nameNearBirth(reading, place, birthLines),
  ])
  facts.push(...settled(reading, candidates).map((name) => identityFact(reading, name, 'name', null)))
  facts.push(...namesInParts(reading))
  for (const line of reading.document.lines)
    facts.push(...identifiersOn(reading, line).map(([kind, range]) => identityFact(reading, range, kind, null)))
  return facts
}

/** Plain words above a birth date are a name only where the page names nobody otherwise, and then the nearest. */
function settled(reading: Reading, candidates: readonly Candidate[]): Candidate[] {
  const pageOf = (candidate: Candidate) => reading.document.lines[candidate.line]?.page
  const sure = candidates.filter((candidate) => candidate.evidence !== 'plain')
  const named = new Set(sure.map(pageOf))
  const plain = candidates.filter((candidate) => candidate.evidence === 'plain' && !named.has(pageOf(candidate)))
  const nearest = plain.filter(
    (candidate) => !plain.some((other) => other.line > candidate.line && other.line - candidate.line <= 2),
  )
  return [...sure, ...nearest]
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

function nameAt(
  reading: Reading,
  line: Line,
  place: number,
  from: number,
  birthLines: ReadonlySet<number>,
): Candidate[] {
  const text = reading.document.text
  const slice = text.slice(from, Math.min(line.start + line.length, from + 120))
  const label = labelled.exec(slice)?.[0] ?? ''
  const candidate = (found: string, start: number, evidence: Candidate['evidence']) => {
    const words = withoutLabels(found)
    return [{ ...trimmed(text, { start, end: start + words.length }), evidence, line: place }]
  }
  if (label !== '') {
    const isHeader = line.kind === 'table_header'
    if (isHeader && line.cells.length !== 2) return []
    const rest = slice.slice(label.length)
    const isNear = [place, place + 1, place + 2].some((near) => birthLines.has(near))
    const isForm = !isHeader && (isNear || (/name/i.test(label) && (!label.endsWith('\t') || line.cells.length === 2)))
    const lone = isForm ? onlyName.exec(rest) : null
    const found = (leadingName.exec(rest) ?? lone)?.[1]
    if (found === undefined || isRemark(withoutLabels(found))) return []
    if (labelOfAnyone.test(label) && (isProvider(slice, found) || isAboutSomeoneElse(reading, place, from))) return []
    return candidate(found, from + label.length, 'labelled')
  }
  const match = subject.exec(slice) ?? beforeBirth.exec(slice)
  if (!match?.[1] || isProvider(slice, match[1]) || nameEvidence(withoutLabels(match[1])) === null) return []
  return candidate(match[1], from + match.index + match[0].indexOf(match[1]), 'marked')
}

/** "SCHADEN, ISAIAH", "Mrs Noreen WEBB" or "WEBB Noreen" alone in a cell beside or just above the birth date. */
function nameNearBirth(reading: Reading, place: number, birthLines: ReadonlySet<number>): Candidate[] {
  const line = reading.document.lines[place]
  if (!line || ![place, place + 1, place + 2].some((near) => birthLines.has(near))) return []
  return line.cells.flatMap((cell) => {
    const text = reading.document.text.slice(cell.start, cell.start + cell.length)
    const lead = unmarked.exec(text)?.[0].length ?? 0
    const bare = text
      .slice(lead)
      .replace(/\s*\((?:Mrs?|Ms|Miss|M|F|male|female)\)\s*$/i, '')
      .trimEnd()
    const found = nameEvidence(bare)
    const isPlace = found === 'plain' && lead === 0 && line.cells.length > 1 && bare !== bare.toUpperCase()
    if (found === null || isPlace || isProvider(bare, bare)) return []
    const start = cell.start + lead
    return [{ start, end: start + bare.length, evidence: lead > 0 ? 'marked' : found, line: place }]
  })
}

/** "Emergency contact", above a label that alone would be the patient's. */
function isAboutSomeoneElse(reading: Reading, place: number, from: number): boolean {
  const { lines, sections, text } = reading.document
  const line = lines[place]
  if (!line) return false
  const before = text
    .slice(line.start, from)
    .split('\t')
    .map((cell) => cell.trim())
  if (before.some(asksForSomeoneElse)) return true
  const heading = sections[line.section]?.heading ?? null
  if (heading !== null && asksForSomeoneElse(heading)) return true
  const above = lines.slice(Math.max(0, place - 4), place).map(({ start, length }) => text.slice(start, start + length))
  const since = above.slice(above.findLastIndex((words) => /\b(?:patient|client|resident)\b/i.test(words)) + 1)
  return since.some((words) => asksForSomeoneElse(words.replace(/\s*:\s*$/, '')))
}

/** "Mother's date of birth": on a child's form. */
function isBirthOfAnother(reading: Reading, date: LabelledDate): boolean {
  const line = reading.document.lines[date.line]
  if (!line) return false
  const before = reading.document.text.slice(Math.max(line.start, date.start - 60), date.start)
  const label = /([^\t:;|]*?)\s*\(?(?:D\.?\s?O\.?\s?B|date of birth|birth ?date|born|birth)\b[^\p{L}]*$/iu.exec(
    before,
  )?.[1]
  return label !== undefined && label.trim() !== '' && asksForSomeoneElse(label)
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
    /,?\s+(?:DOB|D\.O\.B|Date|Birth|Born|Sex|Gender|Age|Aged|MRN|URN?|ID|IHI|Medicare|Male|Female|Phone|Address|Provider|Ref|Hosp|Hospital|Patient|Visit|Tel|Mobile|Ward(?=\s?[:\d]))\b.*$/u,
    '',
  )
}
