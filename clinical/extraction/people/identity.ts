/** Who the document says that it is about, as printed. Nothing here is compared with a profile. */
import type { FoundFact } from '../../document/found-fact.ts'
import type { Line } from '../../document/mapped.ts'
import { foundDate } from '../statements/dated-context.ts'
import { foundFact, trimmed, type Range, type Reading } from '../found.ts'
import { identifiersOn } from './identifiers.ts'
import { namesInParts } from './name-parts.ts'
import { readNameColumns } from './name-columns.ts'
import { isRemark, nameEvidence, personName, singleName } from './person-names.ts'
import { isAboutSomeoneElse, isBirthOfAnother } from './someone-else.ts'
import { toldNames } from './told-names.ts'

/** `patient`: labelled as the patient's; `marked`: labelled or formed as a name; `plain`: nothing but its place says so. */
type Candidate = Range & { readonly evidence: 'patient' | 'marked' | 'plain'; readonly line: number }
const strengths = { patient: 'strong', marked: 'fair', plain: 'weak' } as const

const labelled =
  /^(?:(?:patient|pt\.?|client|resident|consumer|child|baby|member|full)(?:['’]?s)?(?:[ /]+name)?|name(?: of (?:patient|child|client|resident))?)(?:\s*\((?:last|first|family|given|surname|middle)[^)\n]{0,30}\))?\s*[:\t]\s*/i
const labelOfAnyone = /^(?:full )?name\b(?! of)/i
const subject = new RegExp(`\\b(?:(?:RE|Re|Regarding|Subject)\\s*:?|re:)\\s+(${personName})`, 'u')
const beforeBirth = new RegExp(
  `^(${personName})(?=\\s*[,\\t (|–-]{1,3}\\s*(?:DOB|D\\.\\s?O\\.\\s?B|[Dd]ate of birth|Birth ?date|Born|born|MRN|URN?|UMRN|UR)(?![\\p{L}\\p{N}]))`,
  'u',
)
/** Forms print the label and the name side by side, with nothing between. */
const unmarked = /^(?:patient(?: name)?|name|full name)\s+(?=\p{Lu})/iu
const leadingName = new RegExp(`^(${personName})`, 'u')
/** Scripts without capitals. */
const uncasedName = /^(\p{Lo}[\p{Lo}\p{M}·・]+(?: \p{Lo}[\p{Lo}\p{M}]*){0,4})/u
const onlyName = new RegExp(`^(${singleName})(?=\\s*(?:$|[\\t\\n,(|]))`, 'u')

export function findIdentity(reading: Reading): FoundFact[] {
  const { lines } = reading.document
  const columns = readNameColumns(reading)
  const births = [
    ...reading.dates.dates.filter((date) => date.label === 'birth' && !isBirthOfAnother(reading, date)),
    ...columns.births.filter(({ label }) => label !== 'birth'),
  ]
  const identifiers = lines.map((line) => identifiersOn(reading, line))
  const anchors: Anchors = {
    births: new Set(births.map((birth) => birth.line)),
    numbers: new Set(identifiers.flatMap((found, place) => (found.some(([kind]) => kind === 'mrn') ? [place] : []))),
  }
  const candidates = lines.flatMap((line, place) => [
    ...[line.start, ...line.cells.map((cell) => cell.start)].flatMap((start) =>
      nameAt(reading, line, place, start, anchors.births),
    ),
    ...nameNear(reading, place, anchors),
  ])
  candidates.push(...namesInColumn(reading, columns.names))
  const inParts = namesInParts(reading)
  const isNamed = inParts.length > 0 || candidates.length > 0
  const told = isNamed ? [] : toldNames(reading)
  return [
    ...births.map((date) => identityFact(reading, date, 'date_of_birth', foundDate(date, 'birth'), 'strong')),
    ...settled(reading, candidates).map((name) => identityFact(reading, name, 'name', null, strengths[name.evidence])),
    ...told.map((name) => identityFact(reading, name, 'name', null, 'weak')),
    ...inParts,
    ...identifiers.flatMap((found) => found.map(([kind, range]) => identityFact(reading, range, kind, null, 'strong'))),
  ]
}

/** Lines that hold what is printed beside a patient's name. */
type Anchors = { readonly births: ReadonlySet<number>; readonly numbers: ReadonlySet<number> }

function namesInColumn(reading: Reading, rows: ReturnType<typeof readNameColumns>['names']): Candidate[] {
  return rows.flatMap(({ name, line, isPatient }) => {
    const words = reading.document.text.slice(name.start, name.end)
    if (nameEvidence(words) === null || isProvider(words, words)) return []
    return [{ ...name, line, evidence: isPatient ? 'patient' : 'marked' } as const]
  })
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

function identityFact(
  reading: Reading,
  { start, end }: Range,
  identityKind: string,
  date: FoundFact['date'],
  strength: FoundFact['strength'],
): FoundFact {
  const fact = foundFact(reading.document, {
    type: 'identity',
    name: { start, end },
    date,
    detail: { identityKind },
    strength,
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
    const found = (leadingName.exec(rest) ?? uncasedName.exec(rest) ?? lone)?.[1]
    if (found === undefined || isRemark(withoutLabels(found))) return []
    if (labelOfAnyone.test(label) && (isProvider(slice, found) || isAboutSomeoneElse(reading, place, from))) return []
    return candidate(found, from + label.length, labelOfAnyone.test(label) ? 'marked' : 'patient')
  }
  const match = subject.exec(slice) ?? beforeBirth.exec(slice)
  if (!match?.[1] || isProvider(slice, match[1]) || nameEvidence(withoutLabels(match[1])) === null) return []
  return candidate(match[1], from + match.index + match[0].indexOf(match[1]), 'marked')
}

/**
 * "SCHADEN, ISAIAH", "Mrs Noreen WEBB" or "WEBB Noreen" alone in a cell beside or just above the birth date; beside a
 * record number only where the form of the words says that they are a name.
 */
function nameNear(reading: Reading, place: number, { births, numbers }: Anchors): Candidate[] {
  const line = reading.document.lines[place]
  if (!line) return []
  const isNearBirth = [place, place + 1, place + 2].some((near) => births.has(near))
  const isNearNumber = [place - 1, place, place + 1].some((near) => numbers.has(near))
  if (!isNearBirth && !isNearNumber) return []
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
    if (!isNearBirth && found === 'plain') return []
    const start = cell.start + lead
    return [{ start, end: start + bare.length, evidence: lead > 0 ? 'marked' : found, line: place }]
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
    /,?\s+(?:DOB|D\.O\.B|Date|Birth|Born|Sex|Gender|Age|Aged|MRN|URN?|ID|IHI|Medicare|Male|Female|Phone|Address|Provider|Ref|Hosp|Hospital|Patient|Visit|Tel|Mobile|Ward(?=\s?[:\d]))\b.*$/u,
    '',
  )
}
