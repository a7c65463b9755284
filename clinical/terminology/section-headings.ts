import { readFileSync } from 'node:fs'

const table = new URL('tables/section_headings.tsv', import.meta.url)
let slugs: ReadonlyMap<string, string> | undefined

/** The section that a heading opens ("Past Medical History:" → "past-medical-history"), or null if it is not known. */
export function sectionOfHeading(heading: string): string | null {
  slugs ??= readHeadings()
  const plain = plainHeading(heading)
  return slugs.get(plain) ?? slugs.get(plain.replace(/\s*\(.*\)$/, '')) ?? null
}

/**
 * For lines that are headings by their looks but not in the table: the first pattern that fits. Headings come in any
 * wording ("Medicines I take now", "Allergies / alerts"), so this goes by their leading nouns.
 */
export function sectionLikeHeading(heading: string): string | null {
  const plain = plainHeading(heading)
  if (plain.split(' ').length > 7) return null
  return likely.find(([pattern]) => pattern.test(plain))?.[1] ?? null
}

const medicines = '(?:medications?|medicines|meds|drugs|tablets|prescriptions)'
const likely: readonly (readonly [RegExp, string])[] = [
  [/allerg|adverse (?:drug |medication )?reaction|intoleranc|sensitivit/, 'allergies'],
  [
    new RegExp(
      `(?:ceased?|stop(?:ped)?|discontinued?|no longer|previous|past|former|withheld|held|on hold|do not take)\\b.*${medicines}|${medicines}.*\\b(?:ceased|stopped|discontinued|no longer|previously|withheld|on hold)`,
    ),
    'ceased-medications',
  ],
  [
    new RegExp(`${medicines}.*\\b(?:on|at|prior to|before) admission|(?:admission|pre-?admission|home) ${medicines}`),
    'admission-medications',
  ],
  [new RegExp(`${medicines}.*\\b(?:on|at|for) discharge|discharge ${medicines}`), 'discharge-medications'],
  [new RegExp(`^(?:\\w+ ){0,3}${medicines}\\b`), 'medications'],
  [/^family\b|\bfamily (?:medical )?history/, 'family-history'],
  [/immuni[sz]ation|vaccin/, 'immunisations'],
  [/\b(?:surgical|operative) history|past (?:surgery|operations)/, 'past-surgical-history'],
  [/\b(?:social|smoking|alcohol|tobacco|occupational)\b/, 'social-history'],
  [/(?:past|previous|medical|other relevant) (?:medical )?history|comorbidit/, 'past-medical-history'],
  [/\b(?:investigation|result|patholog(?:y|ies)|laborator(?:y|ies)|blood test)/, 'results'],
  [/\b(?:vital signs|vitals|observations)\b/, 'vital-signs'],
  [/\bdischarge diagnos/, 'discharge-diagnosis'],
  [/\b(?:problems?|diagnos[ei]s|conditions)\b/, 'problem-list'],
  [/\bexam(?:ination)?\b/, 'examination'],
  [/\bprocedures?\b|\boperations?\b/, 'procedures'],
  [/\bfollow-? ?up\b|\bappointments?\b/, 'follow-up'],
  [/\b(?:plan|recommendations?|actions?)\b/, 'plan'],
  [/\b(?:presenting|present(?:ing)? (?:complaint|illness)|chief complaint)\b/, 'presenting-complaint'],
]

function readHeadings(): ReadonlyMap<string, string> {
  const [, ...rows] = readFileSync(table, 'utf8').trimEnd().split('\n')
  return new Map(
    rows.map((row) => {
      const [heading = '', slug = ''] = row.split('\t')
      return [plainHeading(heading), slug]
    }),
  )
}

function plainHeading(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/^[\d.)\s•*#-]+/, '')
    .replace(/[:.\s–-]+$/, '')
    .replaceAll('&', 'and')
    .replaceAll(/[’']/g, '')
    .replaceAll(/\s*\/\s*/g, '/')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
