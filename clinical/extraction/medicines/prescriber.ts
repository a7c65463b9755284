/** Who prescribed a medicine, where its own sentence says so. */
import type { FactDetail } from '../../document/found-fact.ts'

const doctor = "(?:Dr|Prof|Mr|Mrs|Ms|NP|PA)\\.?\\s+\\p{Lu}[\\p{L}'’-]+(?:\\s(?:\\p{Lu}\\.|\\p{Lu}[\\p{L}'’-]+)){0,2}"
const prescribedBy = new RegExp(
  `\\b(?:(?:prescribed|ordered|started|commenced|initiated|recommended) by|prescriber:?|ordering provider:?)\\s+(${doctor}|\\p{Lu}[\\p{L}'’-]+\\s\\p{Lu}[\\p{L}'’-]+)|\\((${doctor})\\)`,
  'u',
)
const prescribes = new RegExp(
  `(${doctor})\\s+(?:has |had )?(?:prescribed|started|commenced|initiated|added)\\b[^.;]{0,30}$`,
  'u',
)

export function prescriberOf(before: string, after: string): FactDetail {
  const match = prescribedBy.exec(after)
  const prescriber = match?.[1] ?? match?.[2] ?? prescribes.exec(before)?.[1]
  return prescriber === undefined ? {} : { prescriber: prescriber.replace(/\s+/g, ' ') }
}
