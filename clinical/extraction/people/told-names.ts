/** Whom running text introduces: "I reviewed Mr … today", "…, a 45-year-old man". Weak, and only where no label names anybody. */
import { relativeLexicon } from '../../terminology/relatives.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import { tokenise } from '../../terminology/tokens.ts'
import type { Range, Reading } from '../found.ts'
import { asksForSomeoneElse, nameEvidence, personName } from './person-names.ts'

const seen =
  '(?:[Tt]hank(?:s| you)(?: very much)? for (?:referring|seeing|reviewing|the (?:kind )?referral of|your (?:kind )?referral of|asking (?:me|us) to (?:see|review))' +
  '|\\b(?:I|we|We)(?: had the pleasure of| have)? (?:saw|seen|seeing|reviewed|reviewing|met|assessed|examined|assessing))'
const introduced = new RegExp(
  `${seen}(?:[ \\n](?:this|your|our|the|a|patient|lovely|pleasant|[a-z]+-year-old)){0,4}[ \\n]+(${personName})`,
  'gu',
)
const age =
  '(?:an?[ \\n]|aged?:?[ \\n]?|age[ \\n])?\\d{1,3}[ \\n-]?(?:years?|yrs?|y\\.?/?o|yo|months?|mths?|weeks?|days?|[MF])\\b'
const aged = new RegExp(`(${personName})(?:,|[ ]\\(|[ ]is|[ ]was)?[ \\n]+(?:${age}|aged[ \\n]\\d{1,3}\\b)`, 'gu')

export function toldNames({ document }: Reading): Range[] {
  const { text } = document
  return [introduced, aged].flatMap((pattern) =>
    Array.from(text.matchAll(pattern)).flatMap((match) => {
      const name = match[1] ?? ''
      const start = match.index + match[0].indexOf(name)
      const isSomebodys = pattern === aged && isOfSomeone(text.slice(Math.max(0, start - 40), start))
      return isSomebodys || /^(?:Dr|Prof)\b/.test(name) || nameEvidence(name.replaceAll('\n', ' ')) === null
        ? []
        : [{ start, end: start + name.length }]
    }),
  )
}

/** "her mother", "the surgeon,": just before the name. */
function isOfSomeone(before: string): boolean {
  const clause = before.slice(Math.max(before.lastIndexOf('. ') + 2, before.lastIndexOf(';') + 1, 0))
  const tokens = tokenise(clause).slice(-3)
  return tokens.some(({ text }) => asksForSomeoneElse(text)) || findTerms(relativeLexicon(), tokens).length > 0
}
