/**
 * "USS negative" and "no evidence of PE on CTPA" deny what was looked for: the examination was done. "No CT was done"
 * and "declined colonoscopy" deny the examination.
 */
import { conditionLexicon, type Concept } from '../../terminology/concepts.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import type { CueHit } from '../statements/context.ts'
import type { Range } from '../found.ts'
import type { Segment } from '../statements/segments.ts'

/** Looking, not treating: a denial near it is mostly its result. */
const looks =
  /scopy\b|gra(?:phy|m)\b|\bscans?\b|ultraso|x-?\s?ray|\b(?:CT\w*|MR\w*|USS?|PET|ECG|EKG|EEG|EMG|DEXA|DXA|TTE|TOE|CXR|AXR|V\/Q|biops\w+|smear|test(?:ing)?|spirometry|doppler|swab|aspirat\w+|holter|imaging|radiograph\w*|angio\w*|screen(?:ing)?)\b/i
const neverDone =
  /\b(?:done|performed|declin\w+|refus\w+|taken|required|indicated|needed|obtained|available|undertaken|attended|cancelled|canceled|defer\w+|offered|never|has not had|hasn['’]t had|have not had|not had|not undergone|no previous|no prior|no recent|yet to have|no history of)\b/i
const within = /\b(?:on|by|at|from|with|via|per|following|after|during|of|in)\b/i

export function denialOf(
  segment: Segment,
  name: Range,
  concept: Concept | null,
  cue: CueHit | null,
): 'undone' | 'result' | 'unsure' {
  const printed = segment.tokens
    .filter((token) => token.end > name.start && token.start < name.end)
    .map((token) => token.text)
    .join(' ')
  const isLook = concept?.group === 'imaging' || looks.test(printed) || looks.test(concept?.name ?? '')
  if (!isLook || cue === null) return 'undone'
  const said = segment.tokens.filter((token) => token.end > cue.start && token.start < cue.end)
  const isBehind = cue.start >= name.end
  if (neverDone.test(said.map((token) => token.text).join(' '))) return 'undone'
  if (isBehind) return cue.answer?.kind === 'no' && isAsked(segment, name, cue) ? 'undone' : 'result'
  const between = segment.tokens.filter((token) => token.start >= cue.end && token.end <= name.start)
  if (within.test(between.map((token) => token.text).join(' '))) return 'result'
  return findTerms(conditionLexicon(), between).length > 0 || between.some(({ text }) => text === ':')
    ? 'unsure'
    : 'undone'
}

/** "Colonoscopy? No" and "Mammogram: never" answer whether it was done, "CT head: negative" what it showed. */
function isAsked({ tokens }: Segment, name: Range, cue: CueHit): boolean {
  const printed = tokens.filter((token) => token.start >= name.end && token.end <= cue.end).map((token) => token.text)
  return /\b(?:no|never|denie[sd]|n)\b/i.test(printed.join(' '))
}
