/**
 * Where a document says who somebody is: the patient, relatives and clinicians by name, birth dates, numbers, addresses,
 * telephones and mail. For what may leave the house: rather a word too many than one too few.
 */
import { dateOrderOf, findDates } from '../document/dates.ts'
import type { FoundFact } from '../document/found-fact.ts'
import type { MappedDocument } from '../document/mapped.ts'
import { readDates } from '../extraction/statements/dated-context.ts'
import { coverOfTerms, loneNames, namesAgain } from './lone-names.ts'

type Range = { readonly start: number; readonly end: number }

/** What is known of the people in question before the text is searched. */
export type KnownPeople = {
  /** What was found in the document; its identities are hidden, and wherever their words come again. */
  readonly facts: readonly FoundFact[]
  /** Of the profile and whoever else is known by name. */
  readonly names: readonly string[]
  /** ISO; null: not known. */
  readonly bornOn: string | null
}

export function identifyingRanges(document: MappedDocument, known: KnownPeople): Range[] {
  const identity = known.facts.filter(({ type }) => type === 'identity')
  const printed = identity.flatMap(({ spans }) =>
    spans.filter(({ role }) => role !== 'cue').map(({ start, length }) => ({ start, end: start + length })),
  )
  const births = birthDates(document, known, identity)
  const dates = findDates(document.text, dateOrderOf(document))
  const ofPatient = identity.filter(({ detail }) => detail.identityKind === 'name').map(({ text }) => text)
  return [...printed, ...births, ...identifyingIn(document.text, [...known.names, ...ofPatient], dates)]
}

/** In any words: `known` are names, `dates` places that are dates and no names ("May 2021"). */
export function identifyingIn(text: string, known: readonly string[], dates: readonly Range[] = []): Range[] {
  const named = namesIn(text)
  const names = [...known, ...named.map(({ start, end }) => text.slice(start, end))]
  const isOther = coverOfTerms(text, dates)
  return [
    ...named,
    ...namesAgain(text, names.flatMap(nameWords), isOther),
    ...loneNames(text, isOther),
    ...patterns.flatMap((pattern) => matchesOf(text, pattern)),
  ]
}

const nameWord = "\\p{Lu}[\\p{L}\\p{M}'’-]+"
const initials = '(?:\\p{Lu}\\.?[ ])'
const titled = `(?:Dr|Prof|A/Prof|Mr|Mrs|Ms|Miss|Mx|Master|Sr|Sister|Nurse)\\.?[ \\t]+((?:${initials}){0,2}${nameWord}(?:[ ]${nameWord}|[ ]\\p{Lu}\\.){0,3})`
const qualified = `(${nameWord}(?:[ ]${nameWord}|[ ]\\p{Lu}\\.?){1,3}),?[ ]+(?:MD|DO|MBBS|MBChB|BMBS|FRAC[A-Z]{1,3}|FRACGP|FRANZC\\w+|RN|NP|PA-C|PA|PharmD|PhD|DPM|APRN|LPN|CNM)\\b`
const addressed = `\\b(?:Dear|RE|Re|Regarding|Regards|Sincerely|Faithfully|Attn)[:,]?[ \\n]+((?:${initials}){0,2}${nameWord}(?:,?[ ]${nameWord}){1,3})`
const nameHere = new RegExp(`(?:${nameWord}|\\p{Lu}\\.?)(?:,?[ ](?:${nameWord}|\\p{Lu}\\.?)){0,4}`, 'uy')
/** With a name behind them, whatever their case. */
const leads: readonly RegExp[] = [
  /\b(?:wife|husband|spouse|partner|mother|father|mum|mom|dad|son|daughter|brother|sister|aunt|uncle|cousin|niece|nephew|grand(?:mother|father|son|daughter)|carer|caregiver|guardian|friend|neighbou?r)(?:[ ]?[,(:][ ]?|[ ]+(?:is |named |called )?)/gi,
  /(?:^|[\n\f\t;|.(]|[ ]{2})[ ]*(?:patient(?: name)?|(?:full |sur|family |given |first |last |preferred )?names?|client|next of kin|nok|emergency contact|contact(?: person)?|gp|pcp|doctor|physician|provider|consultant|surgeon|specialist|referred by|referring (?:doctor|provider|physician)|referrer|requested by|ordered by|ordering provider|reported by|authori[sz]ed by|attending|prescriber|signed(?: by)?|(?:electronically |digitally )signed by|dictated by|author|cc|copy to|attention|attn)[ ]*[:\t][ \t]*/gi,
  /\b(?:seen|reviewed|signed|dictated|reported|referred|requested|ordered|performed|authori[sz]ed|verified) by:?[ ]+/gi,
]

function namesIn(text: string): Range[] {
  const behind = leads.flatMap((lead) =>
    Array.from(text.matchAll(lead)).flatMap(({ 0: words, index }) => {
      nameHere.lastIndex = index + words.length
      const name = nameHere.exec(text)
      return name === null ? [] : [{ start: name.index, end: name.index + name[0].length }]
    }),
  )
  const shaped = [titled, qualified, addressed].flatMap((source) => matchesOf(text, new RegExp(source, 'gu')))
  return [...shaped, ...behind].filter(({ start, end }) => !notName.test(text.slice(start, end)))
}

/** What stands behind "Patient:" and is nobody's name. */
const notName =
  /^(?:has|had|is|was|with|and|the|on|in|at|of|for|no|not|nil|none|yes|male|female|type|history|diabetes|hypertension|asthma|cancer|presents?|denies|reports?|information|details|id|number|date|name|age|dob|sex)\b/i

const streets =
  'Street|St|Road|Rd|Avenue|Ave|Av|Drive|Dr|Court|Ct|Crescent|Cres|Cr|Place|Pl|Lane|Ln|Way|Boulevard|Blvd|Parade|Pde|Terrace|Tce|Highway|Hwy|Close|Cl|Circuit|Cct|Circle|Cir|Grove|Gr|Esplanade|Parkway|Pkwy|Trail|Square|Sq|Loop|Rise|Row|Walk'
const states =
  'NSW|VIC|QLD|SA|WA|TAS|ACT|NT|AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|UT|VT|VA|WV|WI|WY|DC'

const patterns: readonly RegExp[] = [
  // mail and pages
  /[\w.+'-]+@[\w-]+(?:\.[\w-]+)+/g,
  /\bhttps?:\/\/\S+|\bwww\.\S+/g,
  // telephones: by label, and by shape
  /\b(?:tel(?:ephone)?|ph(?:one)?|mob(?:ile)?|cell|fax|home|work|contact)(?:[ ](?:no|number|phone))?\.?[ \t]*[:#]?[ \t]*(\+?[\d(][\d ().-]{5,18}\d)/gi,
  /(?<![\d.])(?:\+?61[ -]?|\(?0)[2-478]\)?(?:[ -]?\d){8}(?!\d)/g,
  /(?<![\d.])(?:\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)/g,
  /(?<![\d.])1[38]00[ -]?\d{3}[ -]?\d{3}(?!\d)/g,
  // numbers of people: Medicare, IHI, social security, and whatever a label calls one
  /(?<![\d.])[2-6]\d{3}[ -]?\d{5}[ -]?\d(?:[ ]?[-/][ ]?\d)?(?!\d)/g,
  /(?<!\d)800[36][ ]?\d{4}[ ]?\d{4}[ ]?\d{4}(?!\d)/g,
  /(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)/g,
  /\b(?:MRN|URN?|UMRN|UR|SSN|IHI|DVA|NPI|HPI-?[IO]|medicare|medicaid|member(?:ship)?|policy|insurance|account|acct|accession|episode|encounter|visit|record|chart|patient|hospital|unit|file|pension|concession|card|provider|prescriber|licen[cs]e|passport|lab|specimen|request|order|invoice|claim|group|ID)(?:[ ](?:id|no|num(?:ber)?|card|record|file|identifier|ref(?:erence)?))*\.?[ \t]*[:#]?[ \t]*#?[ ]?((?=[A-Z\d-]*\d{3})[A-Z\d][A-Z\d-]{3,19})(?![\w])/gi,
  // addresses
  new RegExp(
    `(?<![\\d.])(?:(?:Unit|Apt|Suite|Level|Flat|Lot)[ ]?\\w+[ ,/]+)?\\d{1,5}[A-Za-z]?(?:/\\d{1,5})?[ ]+(?:[A-Z][\\w'’.-]*[ ]){1,4}(?:${streets})\\b\\.?(?:,?[ ](?:Apt|Unit|Suite|#)[ .]?\\w+)?`,
    'g',
  ),
  new RegExp(`(?:[A-Z][\\w'’.-]+,?[ ]){0,4}\\b(?:${states})[ ,]+\\d{4,5}(?:-\\d{4})?(?!\\d)`, 'g'),
  /\b(?:GPO|P\.?O\.?)[ ]?Box[ ]\d+/gi,
  /\b(?:residential |home |postal |mailing |street )?address[ \t]*[:\t][ \t]*([^\n]+)/gi,
]

function matchesOf(text: string, pattern: RegExp): Range[] {
  return Array.from(text.matchAll(pattern), (match) => groupRange(match))
}

/** The group where there is one: a label says nothing of anybody. */
function groupRange(match: RegExpExecArray): Range {
  const group = match[1] ?? match[0]
  const start = match.index + match[0].lastIndexOf(group)
  return { start, end: start + group.length }
}

/** By their label, and the same day wherever it is printed again. */
function birthDates(document: MappedDocument, { bornOn }: KnownPeople, identity: readonly FoundFact[]): Range[] {
  const labelledBirths = readDates(document).dates.filter(({ label }) => label === 'birth')
  const days = new Set([
    ...(bornOn === null ? [] : [bornOn]),
    ...labelledBirths.map(({ iso }) => iso),
    ...identity.flatMap(({ date }) => (date?.meaning === 'birth' ? [date.iso] : [])),
  ])
  return findDates(document.text, dateOrderOf(document)).filter(({ iso }) => days.has(iso))
}

const titles = new Set([
  'dr',
  'prof',
  'mr',
  'mrs',
  'ms',
  'miss',
  'mx',
  'master',
  'sr',
  'the',
  'and',
  'de',
  'van',
  'von',
])

function nameWords(name: string): string[] {
  return Array.from(name.matchAll(/[\p{L}\p{M}][\p{L}\p{M}'’-]+/gu), ([word]) => word).filter(
    (word) => word.length > 2 && !titles.has(word.toLowerCase()),
  )
}
