/** Words of medicine among others: what is one of them is hardly anybody's name. */
import {
  conditionLexicon,
  medicineLexicon,
  observationLexicon,
  panelLexicon,
  procedureLexicon,
  vaccineLexicon,
  type Concept,
} from './concepts.ts'
import { exactly, findTerms, type Match } from './lexicon.ts'
import type { Token } from './tokens.ts'

/** Conditions, procedures, tests, panels, medicines and vaccines, spelt as in the tables. */
export function clinicalTermsIn(tokens: readonly Token[]): Match<Concept>[] {
  const lexicons = [
    conditionLexicon(),
    procedureLexicon(),
    observationLexicon(),
    panelLexicon(),
    medicineLexicon(),
    vaccineLexicon(),
  ]
  return lexicons.flatMap((lexicon) => findTerms<Concept>(exactly<Concept>(lexicon), tokens))
}
