/** Which observation a printed name means: as printed, with the comma form turned round, or without what stands in brackets. */
import { observationLexicon, type Observation } from '../../terminology/concepts.ts'
import { findTerms, matchAt, type Term } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'

export type NamedObservation = {
  readonly observation: Observation
  readonly isAmbiguous: boolean
  readonly isWhole: boolean
}

export function observationNamed(printed: string): NamedObservation | null {
  const plain = printed
    .replace(/[([].*?[)\]]/g, ' ')
    .replace(/[*†‡#:]+/g, ' ')
    .trim()
  const forms = [
    printed,
    plain,
    turnedRound(plain),
    plain.replace(/^(serum|plasma|blood|s|p|b|u|total|random|fasting|venous)[ -]/i, ''),
  ]
  for (const form of forms) {
    const whole = form === '' ? null : wholeMatch(form)
    if (whole) return { observation: whole.meaning, isAmbiguous: whole.isAmbiguous, isWhole: true }
  }
  const part = findTerms(observationLexicon(), tokenise(plain), 'any').toSorted(
    (a, b) => b.to - b.from - (a.to - a.from),
  )[0]
  const term = part?.terms.find((candidate) => !candidate.isAmbiguous)
  return term ? { observation: term.meaning, isAmbiguous: false, isWhole: false } : null
}

function wholeMatch(form: string): Term<Observation> | null {
  const tokens = tokenise(form).filter((token) => !/^[.,:()]$/.test(token.text))
  const match = matchAt(observationLexicon(), tokens, 0, 'any')
  if (!match || match.to !== tokens.length) return null
  return match.terms.find((term) => !term.isAmbiguous) ?? match.terms[0] ?? null
}

function turnedRound(name: string): string {
  const parts = name.split(',').map((part) => part.trim())
  return parts.length === 2 ? `${parts[1]} ${parts[0]}` : name
}
