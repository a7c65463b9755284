/**
 * A code system that an operator has a licence for, from a file: tab separated, the first line names the columns `code`,
 * `display`, `domain` and `synonyms` (with `|` between). Synonyms say what their code says.
 */
import { z } from 'zod'
import { conceptDomains } from '../../db/schema/terminology.ts'
import type { ConceptContent } from '../../db/terminology.ts'
import { splitList } from './read-table.ts'
import { searchWords } from './search-words.ts'

const line = z.tuple([z.string().min(1), z.string().min(1), z.enum(conceptDomains), z.string().default('')])
const head = 'code\tdisplay\tdomain\tsynonyms'

/** Throws with the number of the first line that is none. */
export function readImportedConcepts(text: string): ConceptContent[] {
  const [columns = '', ...lines] = text
    .replace(/^\uFEFF/, '')
    .trimEnd()
    .split(/\r?\n/)
  if (columns !== head) throw new Error(`The first line has to name the columns: ${head.replaceAll('\t', ', ')}`)
  return lines.map((each, index) => {
    const read = line.safeParse(each.split('\t'))
    if (!read.success) throw new Error(`Line ${index + 2} is no concept: code, display, domain, synonyms`)
    const [code, display, domain, synonyms] = read.data
    const terms = [...new Map([display, ...splitList(synonyms)].map((term) => [searchWords(term), term]))]
    return {
      code,
      display,
      synonyms: terms.flatMap(([words, term]) => (words === '' ? [] : [{ domain, term, words, isEquivalent: true }])),
    }
  })
}
