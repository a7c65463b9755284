/**
 * The section of every line. Mapping goes by looks; here a short line of heading words counts as a heading too, because
 * scans know no bold type and chart copies set headings like text.
 */
import type { Line, MappedDocument } from '../../document/mapped.ts'
import {
  allergenLexicon,
  conditionLexicon,
  medicineLexicon,
  procedureLexicon,
  type Concept,
} from '../../terminology/concepts.ts'
import { exactly, findTerms } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'
import { proseWords } from '../conditions/condition-words.ts'
import { inlineRole, isDocumentTitle, noRole, roleOf, soapRole, type SectionRole } from './section-role.ts'

export type LineRole = {
  readonly role: SectionRole
  readonly isHeading: boolean
  /** Opens a section on its own line ("Allergies: penicillin"). */
  readonly isLabelled: boolean
}

/** With these words the author signs; what follows is about them, until the next heading. */
const closing =
  /^(?:(?:kind|warm|best|with kind)?\s*regards|yours (?:sincerely|faithfully|truly)|sincerely|with thanks|(?:electronically |digitally )?signed\b|dictated\b|signature\b|(?:reported|authori[sz]ed|verified|approved) by\b|c\.?c\.?:|copy to\b|copies to\b|provider (?:no|number)\b|prescriber (?:no|number)\b|page \d+ of \d+)/i

/** With these words a letter begins, whatever its head said of who sends it. */
const salutation = /^(?:dear\b|to whom it may concern|re\s*:)/i

const reports: ReadonlySet<MappedDocument['documentClass']> = new Set([
  'lab_report',
  'imaging_report',
  'pathology_report',
])

/** A prescription prints its prescriber's number over everything, as letters do their sender's. */
function isLetterhead(text: string, place: number, outer: SectionRole): boolean {
  return place < 12 && outer.slug === null && /\b(?:provider|prescriber) (?:no|number)\b/i.test(text)
}

/** On a report the clinical notes are the requester's question, not a finding. */
export function readLineRoles(document: MappedDocument): LineRole[] {
  const roles = openRoles(document)
  if (!reports.has(document.documentClass)) return roles
  return roles.map((line) =>
    line.role.slug === 'clinical-notes' || line.role.slug === 'history-of-presenting-complaint'
      ? { ...line, role: { ...line.role, slug: 'indication' } }
      : line,
  )
}

function openRoles(document: MappedDocument): LineRole[] {
  let role = roleOf(null, null)
  /** What holds again after an inline heading's own lines. */
  let outer = role
  let section = -1
  const isSoap = isInFourParts(document)
  /** Lists behind which another section stood: "Family history: …" is none of the past obstetric history above it. */
  const over = new Set<string | null>()
  return document.lines.map((line, place) => {
    if (line.section !== section) {
      section = line.section
      const { heading = null, slug = null } = document.sections[section] ?? {}
      // A speck of a scan that was set apart like a heading closes no section, and a finding opens none.
      const isReal = heading === null || slug !== null || (/\p{L}{4}/u.test(heading) && !namesFinding(heading))
      const isOver = line.kind !== 'heading' && over.has(heading)
      if (lists.has(outer.slug ?? '') && line.kind !== 'heading') over.add(outer.heading)
      if (isReal) outer = isOver ? noRole : roleUnder(line, place, heading, slug)
      role = outer
    }
    if (line.kind === 'furniture') return { role, isHeading: false, isLabelled: false }
    const text = wordsOf(document, line)
    if (closing.test(text) && !isLetterhead(text, place, outer)) role = outer = roleOf(null, 'care-team')
    else if (role.slug === 'care-team' && salutation.test(text)) role = outer = noRole
    const opened =
      (isSoap ? openedPart(text) : null) ?? openedRole(line, place, text) ?? askedRole(document, place, text)
    if (opened) role = opened.role
    if (opened?.kind === 'own_line') outer = role
    if (!opened && role !== outer && endsLabel(document, place, text)) role = outer
    const isHeading = (line.kind === 'heading' && !namesFinding(text)) || opened?.kind === 'own_line'
    return { role, isHeading: isHeading && !isContinued(document, place), isLabelled: opened?.kind === 'label' }
  })
}

/** "Medications: a, b, c" speaks for its own paragraph: another label or a new full sentence is about something else. */
function endsLabel(document: MappedDocument, place: number, text: string): boolean {
  const above = document.lines[place - 1]
  const aboveText = above ? document.text.slice(above.start, above.start + above.length) : ''
  const isWrapped = aboveText.length >= 55 && !/[.:]$/.test(aboveText)
  if (/^\p{Ll}/u.test(text)) return false
  const isSentence = /^(?:I|We|He|She|They|The|On|Her|His|This|Today|There|Thank)\b/.test(text) && proseWords.test(text)
  if (isWrapped) return isSentence && !proseWords.test(aboveText)
  if (/^\p{Lu}[^:.\n]{1,30}:\s/u.test(text)) return true
  return text.split(/\s+/).length >= 6 && proseWords.test(text)
}

/** The line without cells that hold no letter: ruled edges are read as strokes. */
function wordsOf(document: MappedDocument, line: Line): string {
  const cells = line.cells.map((cell) => document.text.slice(cell.start, cell.start + cell.length))
  return cells.filter((cell) => /\p{L}{2}|\d/u.test(cell)).join('\t')
}

/** The title of a document is no section; what it would be read as holds only where lists stand at once under it. */
function roleUnder(line: Line, place: number, heading: string | null, slug: string | null): SectionRole {
  const role = roleOf(heading, slug)
  const isTitle = heading !== null && line.page === 1 && place < 8 && isDocumentTitle(heading)
  return isTitle && titledSections.has(role.slug ?? '') ? { ...noRole, heading } : role
}

/** Under these headings stands a list and no other section. */
const lists = new Set(['past-medical-history', 'past-surgical-history', 'problem-list', 'family-history'])

const titledSections = new Set([
  'plan',
  'assessment',
  'assessment-and-plan',
  'procedures',
  'imaging',
  'goals',
  'patient-details',
  'hospital-course',
  'history-of-presenting-complaint',
])

const part = /^([SOAP])\s?[:.–-]\s*(?=\S)|^([SOAP])\s?[:.]?$/

/** A note whose parts are headed by the letters S, O, A and P alone. */
function isInFourParts(document: MappedDocument): boolean {
  const letters = document.lines.map((line) => {
    const match = part.exec(document.text.slice(line.start, line.start + Math.min(line.length, 12)))
    return match?.[1] ?? match?.[2]
  })
  return new Set(letters.filter((letter) => letter !== undefined)).size >= 3
}

function openedPart(text: string): Opened | null {
  const match = part.exec(text)
  const role = soapRole(match?.[1] ?? match?.[2] ?? '')
  return role && { kind: match?.[1] === undefined ? 'own_line' : 'label', role }
}

type Opened = { readonly kind: 'own_line' | 'label'; readonly role: SectionRole }

function openedRole(line: Line, place: number, text: string): Opened | null {
  if (line.kind !== 'table_header' && text.includes('\t') && rowHeading.test(text))
    return { kind: 'own_line', role: roleOf(text.replaceAll('\t', ' '), null) }
  if (line.kind === 'table_header' || text.includes('\t')) return null
  const label = /^[^\n:]{2,50}(?=:\s*\S)/.exec(text.slice(0, 60))?.[0]
  const labelled = label === undefined ? null : inlineRole(label)
  if (labelled) return { kind: 'label', role: labelled }
  if (!looksLikeHeading(line, text)) return null
  const role = roleUnder(line, place, text, null)
  // "Smoking status: former", "Vaccine: Spikevax", "Family history of glaucoma: no" are answers, not headings.
  const isStated = /:\s*\S/.test(text) || answered.test(text) || denied.test(text)
  return role.slug === null || isStated ? null : { kind: 'own_line', role }
}

/** "No known allergies to latex" is what stands under a heading. */
const denied = /^(?:no|nil|not|none|never|denies|denied|without)\b/i
/** A line of a table that only names the medicines below it: "Medicines ceased". */
const rowHeading =
  /^(?=.*\b(?:medic|meds|drugs))(?=.*\b(?:ceased|stopped|discontinued|withheld|hold|regular|current|new|changed|unchanged|prn|discharge|admission)\b)(?:(?:regular|current|new|changed|unchanged|ceased|stopped|discontinued|withheld|prn|as|needed|required|on|at|discharge|admission|medications?|medicines?|meds|drugs|hold|no|longer|taken|other|previous|past)[\s:]*)+$/i
const answered = /[:?–-]\s*(?:yes|no|[yn]|nil|none|never|unknown|unsure|denie[sd]|negative|positive)\W*$/i

/** "Do you take any of the following?" over boxes to tick opens what it asks about, and ends what was asked before. */
function askedRole(
  document: MappedDocument,
  place: number,
  text: string,
): { kind: 'own_line'; role: SectionRole } | null {
  const next = document.lines[place + 1]
  if (!next || !/[?:]$/.test(text) || !asking.test(text)) return null
  if (!box.test(document.text.slice(next.start, next.start + next.length)) || box.test(text)) return null
  const slug = askedAbout.find(([pattern]) => pattern.test(text))?.[1] ?? null
  return { kind: 'own_line', role: { ...roleOf(null, slug), heading: text } }
}

const asking = /^(?:do|does|did|have|has|had|are|is|were|was|any|which|what|please (?:tick|indicate|check))\b/i
const box = /[☐□▢☑☒]|\[[ \t]?[xX✓]?[ \t]?\]|\([ \t]*[xX]?[ \t]*\)/u
const askedAbout: readonly (readonly [RegExp, string])[] = [
  [/allerg/i, 'allergies'],
  [/famil|relative|parent|mother|father/i, 'family-history'],
  [/vaccin|immuni[sz]/i, 'immunisations'],
  [/\b(?:medic|drugs?|tablets|take|taking)/i, 'medications'],
  [/ever had|suffer|diagnosed|conditions?|history of|problems? with/i, 'past-medical-history'],
]

function looksLikeHeading(line: Line, text: string): boolean {
  if (line.kind === 'heading' || line.kind === 'list_item' || text.length > 48) return false
  if (!/^\p{Lu}/u.test(text) || /[.;,?!]$|\d{2}|,/u.test(text) || text.split(/\s+/).length > 6) return false
  return !namesFinding(text)
}

/** "Community-acquired pneumonia", "Hydrochlorothiazide 25 mg": set apart like a heading, but what stands under one. */
function namesFinding(text: string): boolean {
  if (namesAllergy(text)) return true
  const tokens = tokenise(text)
  const found = [conditionLexicon(), medicineLexicon(), procedureLexicon()].flatMap((lexicon) =>
    findTerms<Concept>(exactly<Concept>(lexicon), tokens).filter(
      (match) => !isHeadingWord(text, match) && match.terms.some((term) => !term.isAmbiguous),
    ),
  )
  // "Secondary diagnoses" holds "secondary", which can be a metastasis; the heading is about more than that.
  return found.some((match) => match.end - match.start >= 0.6 * text.trim().length)
}

/** "Penicillin allergy" in a list is what stands under a heading, not one. */
function namesAllergy(text: string): boolean {
  if (!/(?:allerg\w*|intoleran\w*|sensitivit\w*|anaphyla\w*)\W*$/i.test(text)) return false
  const tokens = tokenise(text)
  return [allergenLexicon(), medicineLexicon()].some((lexicon) =>
    findTerms<Concept>(exactly<Concept>(lexicon), tokens).some((match) =>
      match.terms.some((term) => !term.isAmbiguous),
    ),
  )
}

function isHeadingWord(line: string, match: { start: number; end: number }): boolean {
  return /^(?:allerg|adverse|immuni|vaccin|medic|surg|procedure|operation|smok|alcohol|patholog|screen)/i.test(
    line.slice(match.start, match.end),
  )
}

/** The first line of a sentence that happens to break early is no heading. */
function isContinued(document: MappedDocument, place: number): boolean {
  const next = document.lines[place + 1]
  return (
    next !== undefined &&
    next.kind === 'text' &&
    /^\p{Ll}/u.test(document.text.slice(next.start, next.start + 2)) &&
    document.lines[place]?.kind !== 'heading'
  )
}
