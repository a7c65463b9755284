import { foldWord, tokenise } from '../terminology/tokens.ts'
import type { CodedFact, MergeKey } from './admission.ts'

/** Stored as text: the parts with a sign between that none of them holds. What may merge: `merge_classes`, `53-record-entries.sql`. */
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
