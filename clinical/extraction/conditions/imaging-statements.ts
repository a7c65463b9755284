/**
 * What a reader of pictures concluded: each statement of an impression is a result of the examination, in the reader's own
 * words. What was asked, how it was done and what is advised next is none.
 */
import type { FactDetail, FactStatus, FoundDate, FoundFact } from '../../document/found-fact.ts'
import { bodySiteLexicon } from '../../terminology/concepts.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import { findCues, type CueHit } from '../statements/context.ts'
import { foundDate } from '../statements/dated-context.ts'
import { foundFact, type Range, type Reading } from '../found.ts'
import { bare } from '../statements/list-items.ts'
import type { Segment } from '../statements/segments.ts'

const concluding =
  /^(?:impressions?|conclusions?|opinion|interpretation|summary|comment|diagnosis|radiolog(?:ical|y) (?:diagnosis|impression|opinion)|(?:overall |final |clinical )?impression|assessment)\b/i
const modality =
  'CT|CTPA|CTKUB|CTA|MRI|MRA|MRCP|PET|CXR|AXR|KUB|X-?rays?|chest x-?ray|radiographs?|ultrasound|USS?|TTE|TOE|TEE|echo(?:cardiogra(?:m|phy))?|doppler|mammogra(?:m|phy)|DEXA|DXA|bone scan|angiogra(?:m|phy)|V\\/Q(?: scan)?|duplex|scan'
/** "CXR 3/4/2022:", "CT head -": names the examination before its result. */
const examined = new RegExp(
  `^\\s*((?:[\\p{L}-]+ ){0,3}?(?:${modality})\\b(?: (?!show|reveal|demonstrat|was|is|no\\b|with no)[\\p{L}/+&-]+){0,5}?)(?:[ ,]*(?:\\(?(?:on |dated )?\\d[\\d/. \\p{L}-]{3,14}\\)?))?\\s*(?::|–|—| - |\\t|(?:showed|shows|revealed|reveals|demonstrated|demonstrates|reported(?: as)?|: ?))\\s*`,
  'iu',
)
const advice =
  /\b(?:recommend\w*|advised|advisable|suggest (?:follow|repeat|further|correlat|review|CT|MRI|ultrasound|clinical|a\b)|is suggested|are suggested|correlat(?:e|ion)\b(?! with)|follow-?up (?:imaging|CT|MRI|ultrasound|chest|scan|study|in)|(?:further|additional) (?:evaluation|assessment|imaging|investigation|characteri[sz]ation) (?:is|are|may|could|with)|please|thank you|consider(?:ation)?\b(?! (?:an?|the)? ?(?:sign|consist))|should be|would be (?:helpful|useful)|could be performed|to be (?:arranged|done|performed)|booked|requested|ordered|pending|awaiting|awaited|scheduled|planned|arranged|not (?:yet )?(?:done|performed|available))\b/i
const signedOff =
  /^(?:reported|dictated|electronically|signed|read by|verified|authori[sz]ed|end of|radiologist|dr\b|thank|dear|cc\b)/i
const openingDenial =
  /^(?:(?:there (?:is|are|was|were)|shows?|demonstrates?) )?(?:no|nil|without|absence of|negative for|not)\b/i
const denial =
  /^(?:(?:there (?:is|are|was|were)|shows?|demonstrates?)\s+)?(?:no|nil|without|absence of|negative for|not)\s+(?:(?:convincing |definite |sonographic |radiological |radiographic |CT |imaging |clear |good )*(?:evidence|features|signs?)\s+(?:of|for|to suggest)\s+)?/i
const closingDenial =
  /\s*\b(?:(?:is|are|was|were) not (?:seen|identified|demonstrated|evident|present|detected)|not (?:seen|identified|demonstrated|evident)|(?:is|are|has been|have been) excluded|ruled out)\.?$/i
/** "No change" is nothing denied of the patient, and "no longer seen" says more than a denial. */
const noDenial = /^(?:there (?:is|has been|are) )?no (?:significant |interval |appreciable )*(?:change|longer)\b/i

export function findImagingResults(reading: Reading): FoundFact[] {
  const isReport = isImagingReport(reading)
  const conclusions = resultsIn(reading, (segment) => mayConclude(segment, isReport))
  if (conclusions.length > 0 || !isReport) return conclusions
  // A report without a conclusion says in its findings what was seen.
  return resultsIn(reading, ({ role }) => role.slug === 'findings')
}

function resultsIn(reading: Reading, isSaid: (segment: Segment) => boolean): FoundFact[] {
  return reading.segments.flatMap((segment) => {
    if (segment.kind === 'heading' || !isSaid(segment)) return []
    return statementsOf(reading, segment).flatMap((statement) => resultOf(reading, segment, statement))
  })
}

/** By its class, or by a first line that names an examination ("Transthoracic echocardiogram"). */
function isImagingReport(reading: Reading): boolean {
  const { documentClass } = reading.document
  if (documentClass === 'imaging_report') return true
  const title = documentClass === 'unknown' ? studyTitle(reading, 4) : null
  return title !== null && !/^(?:chest|scan)$/i.test(reading.document.text.slice(title.start, title.end))
}

/** What is denied, without the words that deny it: as conditions are kept. */
function deniedPart({ start, end }: Range, said: string): Range {
  const lead = denial.exec(said)?.[0].length ?? 0
  const tail = closingDenial.exec(said)?.[0].length ?? 0
  return lead > 0 || tail === 0 ? { start: start + lead, end } : { start, end: end - tail }
}

/** An impression of a report, or the section of a letter that quotes pictures. */
function mayConclude({ role }: Segment, isReport: boolean): boolean {
  const heading = role.heading?.replace(/^[\s\d.)#*•-]+/, '') ?? ''
  if (role.slug === 'imaging') return true
  return (
    isReport &&
    (role.slug === 'assessment' || role.slug === 'discharge-diagnosis' || role.slug === 'problem-list') &&
    concluding.test(heading)
  )
}

type Statement = { readonly range: Range; readonly examination: Range | null }

function statementsOf({ document }: Reading, segment: Segment): Statement[] {
  const { text } = document
  const label = /^\s*[^:\n]{2,40}:\s+/.exec(text.slice(segment.start, segment.end))?.[0] ?? ''
  const isLabelled = label !== '' && concluding.test(label.trim())
  const start = segment.start + (isLabelled ? label.length : 0)
  const item = bare(text, { start, end: segment.end })
  const named = segment.role.slug === 'imaging' ? examined.exec(text.slice(item.start, item.end)) : null
  if (segment.role.slug === 'imaging' && !named) return []
  const examination =
    named?.[1] === undefined
      ? null
      : {
          start: item.start + named[0].indexOf(named[1]),
          end: item.start + named[0].indexOf(named[1]) + named[1].length,
        }
  const from = item.start + (named?.[0].length ?? 0)
  return clauses(text, from, item.end).map((range) => ({ range, examination }))
}

/** At a semicolon, before "but" and before what is only thought of it: each part may be true without the other. */
function clauses(text: string, from: number, to: number): Range[] {
  const parts: Range[] = []
  let start = from
  for (const match of text.slice(from, to).matchAll(partEnd)) {
    parts.push({ start, end: from + match.index })
    start = from + match.index + match[0].length
  }
  return [...parts, { start, end: to }]
    .map((part) => bare(text, withoutBut(text, part)))
    .filter((part) => part.end > part.start)
}

/** "Right lower lobe opacity, likely pneumonia": the opacity is there. */
const partEnd =
  /;\s+|,?\s+(?=(?:but|however|although)\b)|(?:,|\s[-–—])\s+(?=(?:which )?(?:(?:most |more |very )?likely|possibl[ey]|probabl[ey]|presumably|perhaps|suspicious|suggestive|suggesting|concerning for|(?:may|might|could) (?:represent|be|reflect|indicate|relate)|cannot exclude|query|consistent with|in keeping with|differential|versus|\?)(?![\p{L}]))|\s+(?=with (?:possible|probable|likely|suspected)\b)/giu

function withoutBut(text: string, { start, end }: Range): Range {
  const lead = /^\s*(?:but|however|although),?\s+/i.exec(text.slice(start, end))?.[0].length ?? 0
  return { start: start + lead, end }
}

const longestStatement = 400
const emptyWord = /^(?:reports?|findings|impression|conclusion|normal|opinion|comments?)$/i

function resultOf(reading: Reading, segment: Segment, { range, examination }: Statement): FoundFact[] {
  const text = reading.document.text.slice(range.start, range.end).replace(/\s+/g, ' ')
  const isStatement =
    /\p{L}{3}/u.test(text) &&
    text.length <= longestStatement &&
    (examination !== null || text.includes(' ') || (text.length > 5 && !emptyWord.test(text)))
  if (!isStatement || advice.test(text) || signedOff.test(text) || text.endsWith('?')) return []
  const study = examination ?? studyTitle(reading)
  const status = statusOf(segment, range, text)
  const said = reading.document.text.slice(range.start, range.end)
  return [
    foundFact(reading.document, {
      type: 'imaging_result',
      name: status === 'negated' ? deniedPart(range, said) : range,
      status,
      date: examinationDate(reading, segment, examination),
      detail: detailOf(reading, segment, range, study),
      parts: [['detail', study]],
      strength: 'fair',
    }),
  ]
}

function statusOf(segment: Segment, range: Range, text: string): FactStatus {
  const isInside = (cue: CueHit) => cue.start >= range.start && cue.end <= range.end
  const cues = findCues(segment.tokens).filter(isInside)
  const has = (category: string) => cues.some((cue) => cue.effects.some((effect) => effect.category === category))
  if (
    has('uncertain') ||
    /\?|\b(?:may (?:represent|be|reflect)|cannot be excluded|suspicious|likely|probabl[ey]|possibl[ey]|presumably|perhaps|query|cannot exclude|concerning for|suggestive of|suggesting|(?:may|might|could) (?:indicate|relate))\b/i.test(
      text,
    )
  )
    return 'uncertain'
  if (noDenial.test(text)) return 'present'
  return openingDenial.test(text) || closingDenial.test(text) ? 'negated' : 'present'
}

function detailOf({ document }: Reading, segment: Segment, range: Range, study: Range | null): FactDetail {
  const site = findTerms(
    bodySiteLexicon(),
    segment.tokens.filter((token) => token.start >= range.start && token.end <= range.end),
  )[0]
  const printed = (part: Range) => document.text.slice(part.start, part.end).replace(/\s+/g, ' ')
  return {
    ...(study ? { panel: printed(study) } : {}),
    ...(site ? { bodySite: printed(site) } : {}),
  }
}

function examinationDate(reading: Reading, segment: Segment, examination: Range | null): FoundDate | null {
  const own =
    examination === null
      ? null
      : reading.dates
          .within(segment.start, segment.end)
          .find((date) => date.label !== 'birth' && date.label !== 'other')
  if (own) return foundDate(own, 'performed')
  for (const labels of [['examined'], ['collected'], ['admitted', 'visit'], ['document'], ['reported']] as const) {
    const date = reading.dates.governing(segment.start, labels)
    if (date) return foundDate(date, 'performed')
  }
  return null
}

const title = new RegExp(
  `^\\s*(?:(?:exam(?:ination)?|study|procedure|modality|type of (?:exam|study))\\s*[:\\t]\\s*)?((?:[\\p{L}-]+ ){0,3}?(?:${modality})\\b[^\\n\\t:]{0,60})\\s*$`,
  'iu',
)

/** The line that names the examination ("CT CHEST", "Exam: MRI lumbar spine"). */
function studyTitle({ document }: Reading, within = 25): Range | null {
  for (const line of document.lines.slice(0, within)) {
    const printed = document.text.slice(line.start, line.start + line.length)
    const match = title.exec(printed)
    if (
      match?.[1] === undefined ||
      advice.test(match[1]) ||
      /\b(?:report|radiology|imaging|clinic|centre|center|date|showed|shows|reveal\w*|demonstrat\w*)\b/i.test(match[1])
    )
      continue
    const start = line.start + match[0].lastIndexOf(match[1])
    return bare(document.text, { start, end: start + match[1].length })
  }
  return null
}
