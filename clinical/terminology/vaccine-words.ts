/** Words of vaccination records: what a vaccine is against, who makes it, and whether a dose was given. */
import { vaccineLexicon, type Concept } from './concepts.ts'
import { buildLexicon, exactly, findTerms, type Match } from './lexicon.ts'
import { once, readTable } from './read-table.ts'
import { tokenise, type Token } from './tokens.ts'

const meanings = ['given', 'not_given', 'to_come', 'maker', 'no_cue'] as const
type Meaning = (typeof meanings)[number]
/** `to_come`: due, offered, ordered, advised. Nothing has been given, and nothing has been refused either. */
export type VaccineCourse = 'given' | 'not_given' | 'to_come'

export type VaccineMatch = Match<Concept> & {
  /** "Influenza", "hepatitis B": also the name of what the vaccine is against. */
  readonly isDisease: boolean
}

/** Names of vaccines, longest first, with the diseases that stand for their vaccine. */
export function findVaccines(
  tokens: readonly Token[],
  letterCase: 'as_written' | 'any' = 'as_written',
): VaccineMatch[] {
  const { named, diseases } = targets()
  const ills = findTerms(diseases, tokens, letterCase)
  // "Measles" is the name of a vaccine, too.
  const isIll = (match: Match<Concept>) => ills.some((ill) => ill.from === match.from && ill.to === match.to)
  const found = [
    ...findTerms(named, tokens, 'any').map((match) => ({ ...match, isDisease: false })),
    ...findTerms(vaccineLexicon(), tokens, letterCase).map((match) => ({ ...match, isDisease: isIll(match) })),
    ...ills.map((match) => ({ ...match, isDisease: true })),
  ]
  const kept: VaccineMatch[] = []
  for (const match of found.toSorted((a, b) => b.to - b.from - (a.to - a.from)))
    if (!kept.some((other) => other.from < match.to && match.from < other.to)) kept.push(match)
  return kept.toSorted((a, b) => a.from - b.from)
}

/** What the words say of a dose. A refusal outweighs an offer, and both outweigh that it was given. */
export function vaccineCourse(words: string): VaccineCourse | null {
  if (/^\W*(?:no|nil|none|n\/?a|never|not? known)\W*$/i.test(words)) return 'not_given'
  const said = new Set(findTerms(cues(), tokenise(words), 'any').map((match) => match.terms[0]?.meaning))
  const order = ['not_given', 'to_come', 'given'] as const
  return order.find((course) => said.has(course)) ?? null
}

/** What a heading says of everything under it: "Immunisations due", "Vaccines refused". */
export function courseOfHeading(heading: string | null): 'not_given' | 'to_come' | null {
  if (heading === null || /\b(?:given|history|record|administered|received|completed|status|and)\b/i.test(heading))
    return null
  const course = vaccineCourse(heading)
  return course === 'given' ? null : course
}

export function findMaker(words: string): string | null {
  const match = findTerms(cues(), tokenise(words), 'any').find((each) => each.terms[0]?.meaning === 'maker')
  return match ? words.slice(match.start, match.end) : null
}

const targets = once(() => {
  const terms = readTable('vaccine_targets', ['words', 'cvx_code', 'is_disease']).map((row) => ({
    isDisease: row.is_disease === 'Y',
    text: row.words,
    isAmbiguous: false,
    meaning: { concept: `immunizations:${row.cvx_code}`, name: row.words, group: 'vaccine' },
  }))
  return {
    named: exactly(buildLexicon(terms.filter((term) => !term.isDisease))),
    diseases: exactly(buildLexicon(terms.filter((term) => term.isDisease))),
  }
})

const cues = once(() =>
  exactly(
    buildLexicon(
      readTable('vaccine_cues', ['words', 'meaning']).map((row) => ({
        text: row.words,
        meaning: meaningOf(row.meaning),
        isAmbiguous: false,
      })),
    ),
  ),
)

function meaningOf(text: string): Meaning {
  const meaning = meanings.find((known) => known === text)
  if (!meaning) throw new Error(`Unknown meaning of words on vaccines: ${text}`)
  return meaning
}
