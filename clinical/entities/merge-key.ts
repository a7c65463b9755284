import { foldWord, tokenise } from '../terminology/tokens.ts'
import type { CodedFact, MergeKey } from './admission.ts'

/** Stored as text: the parts with a sign between that none of them holds. */
const divider = '#'

export function mergeKey(
  fact: CodedFact,
  base: readonly (string | null | undefined)[],
  qualifiers: readonly (string | null | undefined)[],
): MergeKey {
  return {
    base: [fact.status, nameKey(fact), ...base.map((part) => clean(part) ?? '')].join('|'),
    qualifiers: qualifiers.map(clean),
    scope: 'patient',
  }
}

/** A key of file scope carries the file's id in its base, and so meets no key of another file. */
export function storeMergeKey(key: MergeKey, shellFileId: string): string {
  const base = key.scope === 'file' ? `${key.base}|@${shellFileId}` : key.base
  return [base, ...key.qualifiers.map((qualifier) => qualifier ?? '')].join(divider)
}

/** Two keys that may merge have the same: what to look them up by. As stored. */
export function baseOf(key: string): string {
  const end = key.indexOf(divider)
  return end === -1 ? key : key.slice(0, end)
}

/** Both as stored. */
export function mayMerge(a: string, b: string): boolean {
  const [baseOfA, ...ofA] = a.split(divider)
  const [baseOfB, ...ofB] = b.split(divider)
  return baseOfA === baseOfB && ofA.every((qualifier, place) => agree(qualifier, ofB[place] ?? ''))
}

/** How much a key says; what says more is taken first, so that what says less finds it. */
export const weightOf = (key: MergeKey) => key.qualifiers.filter((qualifier) => qualifier !== null).length

/** "2015" and "2015-03" are one date, printed once more exactly. */
function agree(a: string, b: string): boolean {
  if (a === '' || b === '' || a === b) return true
  return /^\d{4}(-\d\d)?$/.test(a.length < b.length ? a : b) && (a.startsWith(`${b}-`) || b.startsWith(`${a}-`))
}

/** The row that the words matched, else the code, else the words themselves. */
function nameKey(fact: CodedFact): string {
  const selected = fact.coding.selected
  if (selected !== null) return `${selected.system}:${selected.code}`
  return tokenise(fact.text)
    .filter((token) => /[\p{L}\p{N}]/u.test(token.text))
    .map((token) => foldWord(token.text))
    .join(' ')
}

function clean(part: string | null | undefined): string | null {
  const text = (part ?? '').toLowerCase().replace(/[#|]/g, ' ').replace(/\s+/g, ' ').trim()
  return text === '' ? null : text
}
