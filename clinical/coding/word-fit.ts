/** Does a row say what the words say? A match of a part of them ("burn" in "first degree burn") is a wider thing. */
import { once, readTable, splitList } from '../terminology/read-table.ts'
import { tokenise } from '../terminology/tokens.ts'

export type WordFit = 'same' | 'wider'

/** Words that tell how, where or since when, but not what. "Acute" and "chronic" are not among them. */
const qualifiers = new Set(
  `mild moderate severe slight minor major worsening worsened worse improving improved stable ongoing longstanding long standing intermittent
   occasional persistent recurrent known possible probable suspected likely confirmed new old previous prior current recent
   left right bilateral both l r his her of the an in on to with and for due well controlled poorly small large tiny early status post`
    .split(/\s+/)
    .map((word) => tokenise(word)[0]?.key ?? word),
)

/** Tables whose names say a thing whole; a test or a medicine keeps its code whatever stands beside its name. */
export function wordFit(table: string, id: string, printed: string): WordFit {
  const names = table === 'conditions' ? conditionNames() : table === 'procedures' ? procedureNames() : null
  const known = names?.get(id)
  if (known === undefined) return 'same'
  // Only before everything else it is an article: it tells influenza A and haemophilia A from others.
  const words = wordKeys(printed.replace(/^\s*a\s/i, ''))
  const contained = known.filter((name) => name.every((word) => words.includes(word)))
  // Matched through an abbreviation or a misread letter: there is nothing to compare.
  if (contained.length === 0) return 'same'
  const isSame = contained.some((name) => words.every((word) => name.includes(word) || qualifiers.has(word)))
  return isSame ? 'same' : 'wider'
}

export function wordKeys(text: string): string[] {
  return tokenise(text)
    .filter((token) => /[\p{L}\p{N}]/u.test(token.text))
    .map((token) => token.key)
}

const conditionNames = once(() => namesOf('conditions', 'preferred_term'))
const procedureNames = once(() => namesOf('procedures', 'procedure'))

function namesOf(table: string, nameColumn: string): ReadonlyMap<string, readonly (readonly string[])[]> {
  const rows = readTable(table, ['id', nameColumn, 'synonyms', 'ambiguous_synonyms'])
  return new Map(
    rows.map((row) => {
      const names = [
        row[nameColumn],
        ...splitList(row['synonyms'] ?? ''),
        ...splitList(row['ambiguous_synonyms'] ?? ''),
      ]
      return [row['id'] ?? '', names.map((name) => wordKeys(name ?? ''))]
    }),
  )
}
