/** Vaccines that are printed as what they are against: "Diphtheria, Tetanus, Pertussis, Hepatitis B, Polio, Hib" is one, and none of these alone. */
import { once, readTable, splitList } from './read-table.ts'
import type { VaccineMatch } from './vaccine-words.ts'

/** The concept of what one name says; null where its parts together are none that the tables know. */
export function vaccineConcept(printed: string, matches: readonly VaccineMatch[]): string | null {
  const [first] = matches
  const named = matches.filter(({ isDisease }) => !isDisease)
  if (!first) return null
  if (!isList(printed, matches)) return conceptIn(named[0] ?? first)
  const antigens = new Set(matches.flatMap((match) => antigensOf(conceptIn(match))))
  // Diphtheria is given nowhere alone: it has no code, and no row among the names.
  if (/\bdiphtheria\b/i.test(printed)) antigens.add('diphtheria')
  return concepts().get(keyOf([...antigens])) ?? null
}

/** "Pneumococcal (Prevenar 13)" names one thing twice; a list has nothing but commas, strokes and "and" between. */
export function isList(printed: string, matches: readonly VaccineMatch[]): boolean {
  return matches.slice(1).some((match, place) => {
    const between = printed.slice(matches[place]?.end ?? 0, match.start)
    return /^\s*(?:[,/&+-]|\band\b)\s*(?:and\s)?(?:inactivated |acellular |oral )?$/i.test(between)
  })
}

function conceptIn(match: VaccineMatch): string | null {
  return match.terms[0]?.meaning.concept ?? null
}

function antigensOf(concept: string | null): readonly string[] {
  return concept === null ? [] : (antigens().get(concept) ?? [])
}

const keyOf = (diseases: readonly string[]) => diseases.toSorted().join('|')

const antigens = once(
  () =>
    new Map(
      readTable('immunizations', ['cvx_code', 'diseases']).map((row) => [
        `immunizations:${row.cvx_code}`,
        splitList(row.diseases),
      ]),
    ),
)

/** Generic vaccines by the set of what they are against; null where several would fit. */
const concepts = once(() => {
  const known = new Map<string, string | null>()
  for (const row of readTable('immunization_names', ['kind', 'cvx_code', 'diseases'])) {
    if (row.kind !== 'generic' || row.cvx_code === '') continue
    const [key, concept] = [keyOf(splitList(row.diseases)), `immunizations:${row.cvx_code}`]
    known.set(key, known.has(key) && known.get(key) !== concept ? null : concept)
  }
  return known
})
