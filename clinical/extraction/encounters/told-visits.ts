/** Contacts that sentences tell of: "seen in ED on 3 May 2021", "On 12 March 2022 she attended Bayside Clinic". */
import type { DocumentClass } from '../../document/mapped.ts'
import { contactTypeOf, type Contact } from './contact.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import type { Range, Reading } from '../found.ts'
import type { Segment } from '../statements/segments.ts'

const whom = '(?:him|her|them|you|this|Mr|Mrs|Ms|Miss|Mx|Master|the patient|\\p{Lu}\\p{Ll}+)'
/** Where and by whom, between the verb and the date. */
const where =
  "(?:[ ,](?:again|urgently|here|today|last|both|and examined|and assessed|in|at|by|with|to|via|for|the|my|our|your|his|her|their|a|an|of|on|\\p{Lu}[\\p{L}'’&.-]*|\\([^)]{2,30}\\)|(?:outpatients?|emergency|department|room|clinic|rooms|hospital|practice|surgery|telehealth|phone|telephone|video|home|review|follow-?up|consultation|ward|urgent|care|centre|center|unit|specialist|nurse|doctor|(?:card|neur|endocrin|nephr|rheumat|haemat|hemat|onc|dermat|ophthalm|pulmon|gastroenter|gynaec|gynec|urol|ur)olog\\p{L}+|surge\\p{L}+|physician|paediatric\\p{L}*|pediatric\\p{L}*|chest|abdominal|back|pain|ongoing|new|routine)\\b))"
const passive = new RegExp(
  `(?:\\b(?:was|were|been|is)(?: (?:last|first|initially|previously|subsequently|then|also|again))*|^|[;,(] ?|\\b(?:[Ll]ast|[Ff]irst|[Pp]reviously|[Ii]nitially|[Ww]hen)) ?(?<verb>[Ss]een|[Rr]eviewed|[Aa]ssessed|[Ee]valuated)(?<where>${where}{0,10})[ ,]*(?:on )?$`,
  'u',
)
const byWriter = new RegExp(
  `\\b(?:I|[Ww]e)(?: (?:last|first|initially|then|also|again|subsequently))* (?<verb>saw|reviewed|assessed|met|consulted with) ${whom}(?<where>(?: [\\p{L}.'’,-]+){0,8}?) (?:on )?$`,
  'u',
)
const active = new RegExp(
  `\\b(?<verb>[Aa]ttended|[Pp]resented|[Vv]isited)(?=[^.;]*(?: (?:to|at|in|the|our)\\b| \\p{Lu}))(?<where>${where}{1,12})[ ,]*(?:on )$`,
  'u',
)
const named = new RegExp(
  `\\b(?<!(?:[Ff]ollow-?up|[Nn]ext|[Uu]pcoming|[Bb]ooked|[Ss]cheduled|[Nn]ew|[Rr]eview|[Ff]uture|an?|for) )(?<verb>(?:(?:office|clinic|home|ED|GP|outpatient|telehealth|emergency) )?(?:visit|consultation|attendance|presentation))(?<where>${where}{0,10})[ ,]*(?:on|of|dated) $`,
  'u',
)
const before: readonly RegExp[] = [passive, byWriter, active, named]
const behind = new RegExp(
  `^,? (?:(?:he|she|they|the patient|(?:Mr|Mrs|Ms|Miss|Mx) \\p{Lu}[\\p{L}'’-]+) (?:was (?:again |then |first )?(?<passive>seen|reviewed|assessed|evaluated)|(?<active>attended|presented|visited))|(?:I|[Ww]e) (?<mine>saw|reviewed|assessed) ${whom})(?<where>${where}{0,8})`,
  'u',
)
const coming =
  /\b(?:will|to be|shall|should|booked|scheduled|due|appointment|plan(?:ned)?|next|follow-?up (?:on|appointment|visit|review)|please|would like|if|recall|arranged?|is to|can be)\b/i
/** A laboratory or a reader of pictures reviews slides, not people. */
const ofThings =
  /\b(?:results?|labs?|bloods?|tests?|studies|biops\w+|scans?|films?|images?|imaging|echo\w*|x-?ray|CT|MRI|notes?|charts?|letters?|reports?|pathology|ECG|EKG|medications?)\b/i

export function findToldVisits(reading: Reading): Contact[] {
  if (reports.has(reading.document.documentClass)) return []
  return reading.segments.flatMap((segment) => {
    if (
      segment.kind === 'heading' ||
      segment.kind === 'row' ||
      /^(?:follow-up|plan|discharge-instructions|family-history|goals|care-team)$/.test(segment.role.slug ?? '')
    )
      return []
    const dates = reading.dates.within(segment.start, segment.end)
    return dates.flatMap((date) => toldVisit(reading, segment, date) ?? [])
  })
}

const reports: ReadonlySet<DocumentClass> = new Set([
  'lab_report',
  'imaging_report',
  'pathology_report',
  'prescription',
  'medication_list',
  'immunization_record',
])
/** "Reviewed by Dr Smith on 14/02/2024" signs a result off. */
const signsOff = /^(?:reviewed|assessed|evaluated) (?:and \w+ )?by\b/i

const ownLabels: ReadonlySet<string | null> = new Set(['visit', 'document', 'admitted', 'examined', 'given', null])

function toldVisit(reading: Reading, segment: Segment, date: LabelledDate): Contact | null {
  if (date.iso.length < 10 || date.entry || !ownLabels.has(date.label)) return null
  const told = toldBefore(reading, segment, date) ?? toldBehind(reading, segment, date)
  if (!told) return null
  const { text } = reading.document
  const said = text.slice(told.from, told.to)
  if (coming.test(text.slice(segment.start, told.verb.start)) || ofThings.test(said)) return null
  if (signsOff.test(said) && !/\b(?:was|were|been|is)\s(?:\w+\s)?$/i.test(text.slice(segment.start, told.verb.start)))
    return null
  if (!isSaidToBe(segment, told.verb)) return null
  return {
    name: told.name,
    date,
    end: null,
    type: contactTypeOf(said),
    status: 'historical',
    strength: 'fair',
    isOwn: told.isWriters,
    provider: null,
    facility: null,
  }
}

/** A contact that the sentence denies, or has of somebody else, is none. */
export function isSaidToBe(segment: Segment, verb: Range): boolean {
  const at = {
    from: segment.tokens.findIndex((token) => token.end > verb.start),
    to: segment.tokens.filter((token) => token.start < verb.end).length,
  }
  const { status } = assertionOf(segment.tokens, findCues(segment.tokens), at)
  return status === 'present' || status === 'historical'
}

type Told = {
  readonly name: Range
  readonly verb: Range
  readonly from: number
  readonly to: number
  readonly isWriters: boolean
}

function toldBefore(reading: Reading, segment: Segment, date: LabelledDate): Told | null {
  const { text } = reading.document
  const from = Math.max(segment.start, date.start - 160)
  const said = text.slice(from, date.start).replace(/\n/g, ' ')
  for (const pattern of before) {
    const match = pattern.exec(said)
    const verb = match?.groups?.['verb']
    if (!match || verb === undefined) continue
    const start = from + match.index + match[0].indexOf(verb)
    const place = (match.groups?.['where'] ?? '').replace(/[ ,]*(?:\bon\b)?[ ,]*$/i, '')
    return {
      name: { start, end: start + verb.length + place.length },
      verb: { start, end: start + verb.length },
      from: start,
      to: date.start,
      isWriters: pattern === byWriter,
    }
  }
  return null
}

function toldBehind(reading: Reading, segment: Segment, date: LabelledDate): Told | null {
  const { text } = reading.document
  if (!/(?:^|[\s,;])on\s*$|^\s*$/i.test(text.slice(segment.start, date.start))) return null
  const match = behind.exec(text.slice(date.end, Math.min(segment.end, date.end + 160)).replace(/\n/g, ' '))
  const verb = match?.groups?.['passive'] ?? match?.groups?.['active'] ?? match?.groups?.['mine']
  if (!match || verb === undefined) return null
  const place = (match.groups?.['where'] ?? '').replace(
    /[ ,]*(?:\b(?:with|for|by|to|the|and|in|at|a|of|on|her|his))*[ ,]*$/i,
    '',
  )
  // Seen by whom and where is needed with words that also tell of complaints ("presented with").
  if (match.groups?.['active'] !== undefined && !/\b(?:to|at|in|the|our|ED|clinic|hospital)\b|\p{Lu}/u.test(place))
    return null
  const start = date.end + match[0].lastIndexOf(`${verb}${match.groups?.['where'] ?? ''}`)
  const end = start + verb.length + place.length
  return {
    name: { start, end },
    verb: { start, end: start + verb.length },
    from: start,
    to: end,
    isWriters: match.groups?.['mine'] !== undefined,
  }
}
