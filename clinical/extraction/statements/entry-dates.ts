/**
 * The entries of a running history: "12/03/2019 Dr Lee: …", "18 June 2024 - Telephone consultation". Such a date holds
 * for what stands under it, until the next one. Pure reading of one line; who asks decides what it means.
 */
import type { PrintedDate } from '../../document/dates.ts'
import type { DocumentClass, Line, MappedDocument } from '../../document/mapped.ts'
import { roleOf } from './section-role.ts'

const part = "\\p{Lu}[\\p{L}'’-]+"
const initial = '\\p{Lu}\\.?'
/** A person who treats, as letters and charts print one: by title, or by what stands behind the name. */
export const clinicianName = `(?:(?:(?:A\\/|Assoc(?:iate|\\.)? )?Prof(?:essor|\\.)?|Dr|Doctor)\\.? (?:(?:${part}|${initial}) ){0,2}${part}(?:, ?(?:MD|DO|MBBS|FRACGP|FRACP|FRACS|PhD)\\b)?|(?:Nurse|RN|NP|Sister) ${part}(?: ${part})?|${part} (?:(?:${part}|${initial}) ){0,2}${part},? \\(?(?:MD|M\\.D\\.|DO|D\\.O\\.|NP|FNP(?:-BC|-C)?|PA-?C|RN|APRN|ARNP|CNM|DNP|MBBS|FRACGP|FRACP|FRACS|FACEM|FANZCA|FRANZCOG|DDS|DPM)\\b\\)?)`

/** What a contact is called in front of or behind its date. */
export const contactTitle =
  '(?:(?:(?:office|clinic|home|outpatient|inpatient|follow-?up|initial|new patient|telehealth|video|phone|telephone|emergency(?: department)?|ED|surgery|practice|GP|hospital|urgent care|well[- ]child|annual|routine|specialist|ward|nursing home|walk-in) ){0,2}(?:visit|consult(?:ation)?|encounter|attendance|presentation)|(?:(?:ED|emergency(?: department)?|clinic|office|telehealth|follow-?up) (?:visit )?(?:note|record|review))|progress notes?|clinic(?:al)? note|SOAP note|(?:phone|telephone|video|telehealth) (?:call|review)|home visit|ward round|(?:annual|routine) (?:check-?up|physical)|physical exam visit)'

const time = '[\\s,]*(?:(?:at )?\\d{1,2}[:.]\\d{2}(?: ?[ap]\\.?m\\.?)?(?: ?hrs)?)?'
const gap = '[\\s,:;|–—-]*\\(?'
/** "Progress note    18 June 2024" */
const titleBefore = new RegExp(`^\\s*(${contactTitle})\\s*[:\\t(|–—-]*\\s*$`, 'i')
const titleBehind = new RegExp(`^${time}${gap}(${contactTitle})\\b`, 'iu')
const clinicianBehind = new RegExp(
  `^${time}${gap}(?:[Ss]een by |[Ww]ith |[Bb]y |GP:? |[Pp]rovider:? )*(${clinicianName})`,
  'u',
)
const missed = /^[\s,:;|–—-]*(?:DNA\b|did not attend|no[- ]show|cancel?led|failed to attend|did not arrive)/i

/** Nobody's visit is entered under these; what is dated there was given, measured or planned. */
const otherSections =
  /^(?:past-|.*medications$|immunisations$|results$|imaging$|procedures$|family-history$|follow-up$|plan$|allergies$|patient-details$|discharge-|problem-list$|specimens$|goals$)/
const contactSection = /\b(?:consultations?|encounters?|visits?|attendances|clinic history|contacts?)\b/i
const comingSection = /\b(?:upcoming|future|next|scheduled|planned|booked|due)\b/i
const otherClasses: ReadonlySet<DocumentClass> = new Set([
  'lab_report',
  'imaging_report',
  'pathology_report',
  'prescription',
  'medication_list',
  'immunization_record',
])

const leads = /^(?:[\s•*#–—-]|\[|\(|\bdate:?|\bon\b|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?)*$/i

export type Entry = { readonly kind: 'title' | 'clinician' | 'cell'; readonly start: number; readonly end: number }

/** The dates of one document that open an entry; a letter sets its own date beside the name of the one it is written to. */
export function entryReader(document: MappedDocument): (place: number, date: PrintedDate) => Entry | null {
  if (otherClasses.has(document.documentClass)) return () => null
  const isLetter = /(?:^|\n)\s*Dear\b/.test(document.text)
  const titles = titlesOf(document)
  return (place, date) => {
    const line = document.lines[place]
    const entry = line ? entryOf(document, line, titles[place] ?? '', date) : null
    return entry?.kind === 'clinician' && isLetter ? null : entry
  }
}

/** For each line the short line above it that could name a list ("Encounters"), whether or not it is set as a heading. */
function titlesOf({ lines, sections, text }: MappedDocument): string[] {
  let title = ''
  let section = -1
  return lines.map((line) => {
    if (line.section !== section) title = sections[(section = line.section)]?.heading ?? ''
    const printed = text.slice(line.start, line.start + line.length)
    if (line.cells.length === 1 && line.kind !== 'furniture' && /^\p{Lu}[\p{L} ,&/-]{2,40}:?$/u.test(printed))
      title = printed
    return title
  })
}

function entryOf(document: MappedDocument, line: Line, title: string, date: PrintedDate): Entry | null {
  const { text } = document
  const before = text.slice(line.start, date.start)
  if (date.iso.length < 10 || line.kind === 'furniture' || comingSection.test(title)) return null
  const titled = titleBefore.exec(before)?.[1]
  if (!leads.test(before) && titled === undefined) return null
  const { heading = null, slug = null } = document.sections[line.section] ?? {}
  const isListed = contactSection.test(title)
  if (!isListed && otherSections.test(roleOf(heading, slug).slug ?? '')) return null
  const rest = text.slice(date.end, Math.min(line.start + line.length, date.end + 120))
  if (titled !== undefined)
    return {
      kind: 'title',
      start: line.start + before.indexOf(titled),
      end: line.start + before.indexOf(titled) + titled.length,
    }
  if (missed.test(rest.replace(clinicianBehind, ''))) return null
  const isRow = line.kind === 'table_row' && line.cells.length > 2 && !isListed
  const found = isRow ? null : (openingIn(rest) ?? (isListed ? cellBehind(rest) : null))
  return found && { kind: found.kind, start: date.end + found.from, end: date.end + found.to }
}

type Opening = { readonly kind: Entry['kind']; readonly from: number; readonly to: number }

function openingIn(rest: string): Opening | null {
  for (const [kind, pattern] of [
    ['title', titleBehind],
    ['clinician', clinicianBehind],
  ] as const) {
    const match = pattern.exec(rest)
    if (match?.[1] === undefined) continue
    const to = match[0].length
    return { kind, from: to - match[1].length, to }
  }
  return null
}

/** "03/05/2021  Blood pressure check  Dr Lee" in a list of visits. */
function cellBehind(rest: string): Opening | null {
  const match = /^[\s:–—-]+(\p{L}[^\t\n]{2,58})/u.exec(rest)
  return match?.[1] === undefined
    ? null
    : { kind: 'cell', from: match[0].length - match[1].length, to: match[0].length }
}
