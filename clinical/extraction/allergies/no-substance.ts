/** Where a list of allergies ends without a heading: what follows is something else that the tables know. */
import { conditionLexicon, observationLexicon, procedureLexicon, vaccineLexicon } from '../../terminology/concepts.ts'
import { exactly, findTerms, type Lexicon } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'

/** For words that name no known allergen: an unknown one is a bare noun, without a figure and without a word of another list. */
export function isNoSubstance(words: string): boolean {
  if (/\d/.test(words) || otherMatter.test(words)) return true
  const tokens = tokenise(words)
  const names = <Meaning>(lexicon: Lexicon<Meaning>) => findTerms(exactly(lexicon), tokens).length > 0
  return (
    names(conditionLexicon()) || names(procedureLexicon()) || names(observationLexicon()) || names(vaccineLexicon())
  )
}

/** "Influenza vaccine 12/04/2024": people bear vaccines badly, too, but this tells of a dose. */
export function isDoseGiven(words: string): boolean {
  return /\d{1,2}[/.-]\d{1,2}[/.-]\d{2}/.test(words) && findTerms(vaccineLexicon(), tokenise(words), 'any').length > 0
}

const otherMatter =
  /^(?:not?|nil|see|please|seen|reviewed|signed|printed|lives?|walks?)\b|\b(?:risk|directives?|resuscitation|CPR|consent(?:ed)?|interpreter|carer|guardian|plan|status|weight|height|address|phone|ward|page|clinic|appointment|gp|doctor|pharmacy|mobility|diet)\b/i
