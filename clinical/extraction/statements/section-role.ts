/** What a section's heading says about everything under it, whether or not the heading is in the table. */
import { once, readTable } from '../../terminology/read-table.ts'

export type SectionRole = {
  /** Slug of `section_headings.tsv`; null when the heading says nothing. */
  readonly slug: string | null
  /** "Past medical history (inactive)", "Resolved problems", "Medicines I no longer take". */
  readonly isOver: boolean
  readonly heading: string | null
}

export const noRole: SectionRole = { slug: null, isOver: false, heading: null }

/** Tried in this order on headings that the table does not have; the first that fits decides. */
const headingGrammar: readonly (readonly [RegExp, string])[] = [
  [/famil(y|ial).*(hist|hx|background)|^fh\b/i, 'family-history'],
  [/allerg|adverse (drug )?(reaction|event)|sensitivit|intoleranc|alerts?$/i, 'allergies'],
  [/immuni[sz]|vaccin/i, 'immunisations'],
  [
    /(no longer|ceased|stopp?ed|discontinu\w*|previous|past|old|former|cease|stop|withh[eo]ld|held|on hold|do not take|don't take)\b.*(medic|drug|meds|prescription|tablets)/i,
    'ceased-medications',
  ],
  // Lists of a discharge name only what becomes of the medicines under them.
  [
    /^(?:ceased|stopped|withheld|held|on hold|discontinued)(?: (?:on|at|during|this|prior|since)\b.*)?$/i,
    'ceased-medications',
  ],
  [
    /^(?:new|changed|unchanged|continued?|continuing|commenced)(?: (?:on|at) (?:discharge|admission))?$/i,
    'medications',
  ],
  [
    /(medic(ine|ation)s?|drugs|meds|prescriptions?|tablets)\b.*(no longer|ceased|stopped|discontinued|withheld|on hold)/i,
    'ceased-medications',
  ],
  [
    /(discharge|separation|going home).*(medic|drug|meds)|(medic|drug|meds).*(discharge|separation)/i,
    'discharge-medications',
  ],
  [/admission.*(medic|drug|meds)|(medic|drug|meds).*(admission)/i, 'admission-medications'],
  [
    /\b(medicines|(?<!\b(?:transfusion|laboratory|nuclear|internal|family|emergency|general|sports|sleep|respiratory|f(?:a?e|oe)tal|rehabilitation|geriatric|palliative|travel|of|and) )medicine|medications?|meds|drug (list|chart|therapy|history)|prescriptions?|prescribed|pharmacy|puffers)\b|^(?:(?:my|all|list of|current|regular|daily|morning|night) ){1,3}(?:tablets|pills)\b|^(?:tablets|pills)(?: I take| list)?$|^repeat (?:templates?|items?|scripts?)$|^(?:non-?)?packed items$/i,
    'medications',
  ],
  [/vital|obs(ervation)?s\b|\btpr\b/i, 'vital-signs'],
  [
    /(surg(ical|ery|eries)|operat(ive|ions?)|procedur(al|es?)).*(hist|hx|past|previous)|(past|previous|prior).*(surg|operat|procedur)/i,
    'past-surgical-history',
  ],
  [
    /(discharge|final|principal|primary|admission|admitting|post-?operative|pre-?operative).*diagnos|diagnos.*(discharge|admission)/i,
    'discharge-diagnosis',
  ],
  [
    /(past|previous|prior|medical|significant|inactive|resolved).*(hist|hx|problems?|conditions?|illness|diagnos)|comorbid|co-morbid|background/i,
    'past-medical-history',
  ],
  [
    /problem|diagnos[ie]s|conditions\b|current (medical )?(issues|history)|active issues|ongoing issues/i,
    'problem-list',
  ],
  [
    /present(ing|ation)? (illness|complaint|history|problem)|interval history|subjective|\bhpi\b|\bhpc\b|narrative/i,
    'history-of-presenting-complaint',
  ],
  [/social|lifestyle|^smoking|occupation/i, 'social-history'],
  [/systems? review|review of systems/i, 'review-of-systems'],
  [/physical|examination|exam findings|on exam|o\/e|objective/i, 'examination'],
  [
    /recommend|instruct|advice|when to (seek|call|return)|what to do|home care|action required/i,
    'discharge-instructions',
  ],
  [/follow|next (visit|appointment|review)/i, 'follow-up'],
  [/impression|assessment|conclusion|opinion|summary of findings|^differentials?\b/i, 'assessment'],
  [/\bplan\b|management/i, 'plan'],
  [/^(?!.*\bwith(?:out)?\b)(?:[\w-]+ ){0,3}complications?\b/i, 'complications'],
  [/findings|microscop|macroscop|gross description|^report$/i, 'findings'],
  [
    /indication|reason for (exam|test|study|request|scan)|clinical (details|notes|info|history|question)/i,
    'indication',
  ],
  [/reason for (referral|visit|presentation|attendance)/i, 'presenting-complaint'],
  [
    /lab(oratory|s)?\b|patholog|blood|biochem|haematol|hematol|test results?|investigat|pertinent results|results/i,
    'results',
  ],
  [/imaging|radiolog|x-?ray|ultrasound|scan/i, 'imaging'],
  [/procedure|operation|theatre|intervention|surgery/i, 'procedures'],
  [/course|progress|synopsis|summary of (stay|admission)/i, 'hospital-course'],
  [/technique|method/i, 'technique'],
  [/compar/i, 'comparison'],
  [/patient|demograph|personal/i, 'patient-details'],
]

/** Labels of clinical shorthand that the table of headings lacks. */
const shorthand: Readonly<Record<string, string>> = {
  dh: 'medications',
  dhx: 'medications',
  mx: 'plan',
  ix: 'results',
  dx: 'problem-list',
  sx: 'presenting-complaint',
  hx: 'history-of-presenting-complaint',
  all: 'allergies',
  ros: 'review-of-systems',
  psh: 'past-surgical-history',
}

const over =
  /\b(inactive|resolved|no longer|past problems|previous problems|ceased|stopped|discontinued|not current)\b/i

/** "Active and inactive problems" holds both: there each row says which. */
function isOverHeading(heading: string): boolean {
  return over.test(heading) && !/(?<!\bnot )\b(?:active|current|ongoing)\b/i.test(heading)
}

export function roleOf(heading: string | null, slug: string | null): SectionRole {
  if (heading === null) return { ...noRole, slug }
  const clean = cleanHeading(heading)
  const known = slug ?? headingSlugs().get(clean.toLowerCase()) ?? shorthand[clean.toLowerCase()] ?? null
  return { slug: known ?? grammarSlug(clean), isOver: isOverHeading(clean), heading }
}

/** The role of an inline heading ("Allergies: penicillin"): only headings of the table count, as any words may stand before a colon. */
export function inlineRole(label: string): SectionRole | null {
  const clean = cleanHeading(label)
  const known = headingSlugs().get(clean.toLowerCase()) ?? shorthand[clean.toLowerCase()] ?? null
  const slug = known ?? (isShortCapitals(clean) || isPlainLabel.test(clean) ? grammarSlug(clean) : null)
  return slug === null ? null : { slug, isOver: isOverHeading(clean), heading: label }
}

/** "Secondary diagnoses:", "Known allergies:": nothing but one or two words before the noun. */
const isPlainLabel =
  /^(?:[\p{L}-]+ ){0,2}(?:diagnos[ei]s|allergies|medications|medicines|immuni[sz]ations|vaccinations|history|plan)$/iu

const soap: Readonly<Record<string, string>> = {
  s: 'history-of-presenting-complaint',
  o: 'examination',
  a: 'assessment',
  p: 'plan',
}

/** "S:", "O:", "A:", "P:": what the letters of a note in four parts open. */
export function soapRole(letter: string): SectionRole | null {
  const slug = soap[letter.toLowerCase()]
  return slug === undefined ? null : { slug, isOver: false, heading: letter }
}

/** What the title of a document would open as a heading: nothing, as all kinds of sections stand under it. */
export function isDocumentTitle(heading: string): boolean {
  return documentTitle.test(heading.trim().replace(/[\s:.–-]+$/, ''))
}

const documentTitle =
  /^(?!.*\b(?:medic(?:ation|ine)s?|allerg\w*|immuni[sz]ation|vaccin\w*|results?)\b)\S+.*(?:\b(?:report|record|summary|letter|notes?|form|questionnaire|chart)|(?:treatment|care|health|support|wellness|birth|recovery) plan|(?:initial|new patient|comprehensive|health|nursing|\w*therapy|diet\w*|nutrition|mental health|antenatal|geriatric|functional|aged care|pre-?admission|pre-?operative|psychological|psychiatric) assessment)$/iu

function isShortCapitals(label: string): boolean {
  return /\p{Lu}{3}/u.test(label) && label === label.toUpperCase() && label.split(/\s+/).length <= 5
}

function grammarSlug(heading: string): string | null {
  if (heading.length > 70 || /\bletter$/i.test(heading)) return null
  return headingGrammar.find(([pattern]) => pattern.test(heading))?.[1] ?? null
}

function cleanHeading(heading: string): string {
  return heading
    .replace(/^[\s\d.)#*•-]+/, '')
    .replace(/[\s:.–-]+$/, '')
    .replace(/\s+/g, ' ')
}

const headingSlugs = once(
  () =>
    new Map(
      readTable('section_headings', ['heading', 'section']).map((row) => [row.heading.toLowerCase(), row.section]),
    ),
)
