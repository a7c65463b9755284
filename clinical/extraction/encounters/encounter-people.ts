/** Who held a contact and where, as labels, letterheads and signatures print it. The one who referred is neither. */
import type { Line } from '../../document/mapped.ts'
import type { Contact } from './contact.ts'
import { clinicianName } from '../statements/entry-dates.ts'
import { trimmed, type Range, type Reading } from '../found.ts'

const providerLabel = new RegExp(
  `(?:^|[\\t\\n]|\\s{2}|; )\\s*(?:(?:attending|treating|consulting|admitting|discharging|supervising|rendering|examining|reviewing|responsible|seen by|visit) ?(?:physician|provider|doctor|clinician|surgeon|consultant|MD|officer|practitioner)?|consultant(?: in charge)?|(?:physician|provider|doctor|clinician|surgeon|practitioner|author|GP)(?: name)?|(?:recorded|documented|completed|written|examined|assessed|consulted) by|discharging (?:officer|doctor)|medical officer|unit head|specialist)\\s*[:\\t]\\s*(${clinicianName}|\\p{Lu}[\\p{L}'’-]+, \\p{Lu}[\\p{L}'’-]+(?: \\p{Lu}\\.?)?(?:, ?(?:MD|DO|NP|PA-C))?|\\p{Lu}[\\p{L}'’-]+ (?:\\p{Lu}\\.? )?\\p{Lu}[\\p{L}'’-]+)`,
  'gimu',
)
const facilityLabel =
  /(?:^|[\t\n]|\s{2}|; )\s*(?:facility|hospital|clinic|practice|location|site|service location|place of service|campus|health service)(?: name)?\s*[:\t]\s*(\p{Lu}[^\t\n;|]{2,70})/gimu
const seenBy = new RegExp(
  `\\b(?:[Ss]een|[Rr]eviewed|[Aa]ssessed|[Ee]xamined|with|under the care of|[Uu]nder|[Bb]y) (?:by )?(${clinicianName})`,
  'u',
)
const leading = new RegExp(`^\\(?(${clinicianName})`, 'u')
const spokenPlace =
  /\b(?:in|at|to)\s(?:the\s)?(\p{Lu}[\p{L}'’&.-]*(?:\s(?:of|and|&|the|for|\p{Lu}[\p{L}'’&.-]*)){0,5}?\s(?:Hospital|Clinic|Medical (?:Centre|Center|Practice|Group)|Health (?:Centre|Center|Service)|Centre|Center|Practice|Surgery|Infirmary|Rooms))\b/u
const organisation =
  /\b(?:Hospitals?|Clinics?|Medical (?:Centre|Center|Practice|Group|Associates|Services)|Health(?:care)? ?(?:Centre|Center|Service|System|Network|Partners)?|Family (?:Medicine|Practice|Doctors)|General Practice|Surgery|Specialists?|Cardiology|Infirmary|Physicians|Internal Medicine|Primary Care|Urgent Care|Consulting Rooms|Paediatrics|Pediatrics|Orthopaedics|Orthopedics)\b/
const noOrganisation =
  /[:@]|\d|\b(?:summary|report|note|record|letter|form|list|history|referral|request|results?|consultation|department of health|discharge|progress|medicare|insurance|confidential|re|dear|page|visit|encounter|plan|statement|certificate)\b|^(?:Dr|Prof|Mr|Mrs|Ms|To|Attn|The Manager|Patient|Name)\b/i
const closing =
  /^(?:(?:kind|warm|best|with kind)?\s*regards|yours (?:sincerely|faithfully|truly)|sincerely|with thanks)\b/i
const signed = new RegExp(
  `^(?:(?:electronically |digitally |e-?)?signed(?: off)?(?: electronically)?(?: by)?|dictated by|authored by)\\s*:?\\s*(?:by:? )?(${clinicianName})`,
  'iu',
)
const signature = new RegExp(
  `^\\s*(${clinicianName}|\\p{Lu}[\\p{L}'’-]+ (?:\\p{Lu}\\.? )?\\p{Lu}[\\p{L}'’-]+)(?=\\s*(?:,|$|\\())`,
  'u',
)

export function withPeople(reading: Reading, contacts: readonly Contact[]): Contact[] {
  const own = contacts.filter((contact) => contact.isOwn)
  const lone = own.length === 1
  const starts = own.map((contact) => contact.date.start).toSorted((a, b) => a - b)
  return contacts.map((contact) => {
    if (!contact.isOwn) return spoken(reading, contact)
    const scope = lone ? { start: 0, end: reading.document.text.length } : scopeOf(reading, contact, starts)
    const provider =
      contact.provider ??
      firstLabelled(reading, scope, providerLabel) ??
      (contact.type === 'admission'
        ? firstLabelled(reading, { start: 0, end: starts[0] ?? 0 }, providerLabel)
        : null) ??
      (lone ? signer(reading) : null) ??
      sentenceProvider(reading, contact)
    const facility = firstLabelled(reading, scope, facilityLabel) ?? letterhead(reading)
    return { ...contact, provider, facility }
  })
}

/** From the contact's own line to the line of the next one. */
function scopeOf({ document }: Reading, { date }: Contact, starts: readonly number[]): Range {
  const next = starts.find((start) => start > date.start)
  return { start: document.lines[date.line]?.start ?? date.start, end: next ?? document.text.length }
}

function firstLabelled({ document }: Reading, scope: Range, label: RegExp): Range | null {
  for (const match of document.text.slice(scope.start, scope.end).matchAll(label)) {
    const printed = match[1] ?? ''
    if (/\b(?:referr|request|primary care|usual)/i.test(match[0].slice(0, -printed.length)) || isEmptyValue(printed))
      continue
    const start = scope.start + match.index + match[0].length - printed.length
    return trimmed(document.text, { start, end: start + printed.length })
  }
  return null
}

const isEmptyValue = (printed: string) => /^(?:not |n\/a|unknown|none|see |as above|date|phone|address)/i.test(printed)

/** A sentence that tells of a contact says itself who and where; the letterhead is another place. */
function spoken({ document }: Reading, contact: Contact): Contact {
  const line =
    document.text
      .slice(contact.name.start, Math.max(contact.date.end, contact.name.end) + 90)
      .split(/[.;](?=\s|$)|\n\n/)[0] ?? ''
  return {
    ...contact,
    provider: contact.provider ?? within(contact.name.start, seenBy.exec(line.replace(/\n/g, ' '))),
    facility: contact.facility ?? within(contact.name.start, spokenPlace.exec(line.replace(/\n/g, ' '))),
  }
}

function sentenceProvider({ document }: Reading, contact: Contact): Range | null {
  const line = document.lines[contact.date.line]
  if (!line) return null
  const behind =
    /^[\s,\d:apmhrs.;|–—-]*/.exec(document.text.slice(contact.date.end, line.start + line.length))?.[0].length ?? 0
  const alone = leading.exec(document.text.slice(contact.date.end + behind, line.start + line.length))
  if (alone) return within(contact.date.end + behind, alone)
  const said = document.text.slice(contact.name.start, line.start + line.length)
  return within(contact.name.start, seenBy.exec(said))
}

function within(offset: number, match: RegExpExecArray | null): Range | null {
  const printed = match?.[1]
  if (!match || printed === undefined) return null
  const start = offset + match.index + match[0].lastIndexOf(printed)
  return { start, end: start + printed.length }
}

/** Above the first name, date or "Dear" stands whose paper it is. */
function letterhead({ document }: Reading): Range | null {
  for (const line of document.lines.slice(0, 6)) {
    const cell = line.cells[0]
    const text = cell ? document.text.slice(cell.start, cell.start + cell.length).trim() : ''
    if (/^(?:Dr|Prof|To|Attn|Dear|Re|RE|Mr|Mrs|Ms|Patient|cc)\b/.test(text)) return null
    if (
      cell &&
      text.length <= 70 &&
      /^\p{Lu}/u.test(text) &&
      organisation.test(titled(text)) &&
      !noOrganisation.test(text)
    )
      return trimmed(document.text, { start: cell.start, end: cell.start + cell.length })
  }
  return null
}

const titled = (text: string) =>
  text === text.toUpperCase() ? text.toLowerCase().replace(/\b\p{Ll}/gu, (letter) => letter.toUpperCase()) : text

function signer(reading: Reading): Range | null {
  const { lines, text } = reading.document
  const at = (line: Line) => text.slice(line.start, line.start + line.length)
  for (const [place, line] of lines.entries()) {
    const direct = signed.exec(at(line))
    if (direct) return within(line.start, direct)
    if (!closing.test(at(line))) continue
    for (const below of lines.slice(place + 1, place + 4)) {
      const name = signature.exec(at(below))
      if (name && !organisation.test(name[1] ?? '')) return within(below.start, name)
    }
  }
  return null
}
