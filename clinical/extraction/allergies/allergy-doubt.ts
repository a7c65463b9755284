/** Whether somebody doubts an allergy, in the words around its name. */
import type { FactStatus } from '../../document/found-fact.ts'
import type { Range } from '../found.ts'

/** "?penicillin", "Latex? unsure", "possible sulfa allergy": the substance, and that it is in doubt. */
export function withoutDoubt(text: string, range: Range): { name: Range; status: FactStatus } {
  const printed = text.slice(range.start, range.end)
  const lead =
    /^\W*(?:\?+|query|possibl[ey]|probabl[ey]|suspected|questionable|unconfirmed|maybe|presumed|(?:unsure|uncertain|not sure|unclear|unknown) (?:if|whether)(?: (?:he|she|they|patient|pt))?(?: (?:is|was))?(?: allergic)?(?: to)?)\s*(?=\p{L})/iu.exec(
      printed,
    )
  const tail =
    /\s*(?:\?+|\b(?:unsure|not sure|uncertain|unconfirmed|unclear|not confirmed|possible)\b)[\s?]*(?:\b(?:unsure|not sure|uncertain|unconfirmed|unclear|allergy)\b)?[\s?)]*$/i.exec(
      printed,
    )
  const start = range.start + (lead?.[0].length ?? 0)
  const end = tail && tail.index > 2 ? range.start + tail.index : range.end
  const isUnsure = lead !== null || (tail !== null && tail.index > 2)
  return isUnsure ? { name: { start, end }, status: 'uncertain' } : { name: range, status: 'present' }
}
