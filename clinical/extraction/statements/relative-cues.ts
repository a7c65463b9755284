/** What a word for a relative does where it stands: it may be somebody who tells, the patient, or the one who has it. */
import type { Cue } from '../../terminology/cues.ts'
import type { Token } from '../../terminology/tokens.ts'

type RelativeWord = {
  readonly start: number
  readonly from: number
  readonly to: number
  readonly effects: readonly Cue[]
}

/** The cue of a word for a relative, as far as it says whose something is. */
export function relativeHit<Hit extends RelativeWord>(tokens: readonly Token[], hit: Hit): Hit {
  const verb = /^(?:is|was|are|were|has|have|also)$/i.test(tokens[hit.to]?.text ?? '') ? hit.to + 1 : hit.to
  const isTold = speaks.test(tokens[verb]?.text ?? '')
  return isTold || isPatient(tokens, hit) || isCompanion(tokens, hit)
    ? { ...hit, effects: [] }
    : tiedBehind(tokens, hit)
}

/** "BIB mother with cough", "seen with his wife": who comes along has nothing. */
function isCompanion(tokens: readonly Token[], hit: RelativeWord): boolean {
  const next = tokens[hit.to]?.text === ',' ? hit.to + 1 : hit.to
  if (/^(?:who|whose)$/i.test(tokens[next]?.text ?? '')) return false
  let from = hit.from
  while (/^(?:a|an|the|his|her|my|their|both|concerned|worried)$/i.test(tokens[from - 1]?.text ?? '')) from -= 1
  const before = tokens[from - 1]?.text ?? ''
  if (/^bib$/i.test(before)) return true
  if (!/^(?:with|by)$/i.test(before)) return false
  return /^(?:brought|bib|in|accompanied|attend(?:s|ed|ing)?|present(?:s|ed|ing)?|seen|came|comes|here|along|together|live[sd]?|living|stay(?:s|ed|ing)?|reviewed|clinic|today|spoke|discuss(?:ed|ion)?)$/i.test(
    tokens[from - 2]?.text ?? '',
  )
}

/** "This child has asthma", "a 4 year old child": of children's doctors the child is the patient. */
function isPatient(tokens: readonly Token[], hit: RelativeWord): boolean {
  if (hit.to !== hit.from + 1 || !/^child$/i.test(tokens[hit.from]?.text ?? '')) return false
  return (
    !/^(?:his|her|my|their|one|two|three|four|both|first|second|third|youngest|eldest|oldest|patient['’]s|has|with|of|in|\d)$/i.test(
      tokens[hit.from - 1]?.text ?? '',
    ) && tokens[hit.to]?.text !== ':'
  )
}

/** "Mother reports fever": relatives who tell, fear or come along have nothing themselves. */
const speaks =
  /^(?:reports?|reported|states?|stated|says?|said|notic(?:es|ed)|describes?|described|denie[sd]|concern(?:s|ed)?|worried|worries|thinks?|believes?|feels|felt|brought|call(?:s|ed)|aware|informed|explains?|explained|recalls?|advises|advised|wonders?|asks?|asked|requests?|requested|accompanied|attended|given|taught|happy)$/i

const endsRelative = /^(?:[,;.)/&+]|and|at|aged?|also|too|\d+|)$/i

/** "Bowel cancer in her paternal uncle": a relative that words tie to what stands before speaks of that as well. */
function tiedBehind<Hit extends RelativeWord>(tokens: readonly Token[], hit: Hit): Hit {
  let from = hit.from
  while (/^(?:a|an|the|his|her|my|their|one|both|two|first|older|younger|elder)$/i.test(tokens[from - 1]?.text ?? ''))
    from -= 1
  const before = tokens[from - 1]?.text ?? ''
  const category =
    hit.effects.find((effect) => /^(?:family|other-subject)$/.test(effect.category))?.category ?? 'family'
  const isAnswer = /^[:=?(–-]$/.test(before) && from > 1 && endsRelative.test(tokens[hit.to]?.text ?? '')
  if (!/^(?:in|affecting)$/i.test(before) && !isAnswer) return hit
  const first = tokens[from - 1]
  return {
    ...hit,
    start: first?.start ?? hit.start,
    from: from - 1,
    effects: [...hit.effects, { category, direction: 'after' }],
  }
}
