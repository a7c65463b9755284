import type { ByteRange } from '../../../platform/storage/store.ts'

export type RequestedRange = { kind: 'whole' } | { kind: 'part'; range: ByteRange } | { kind: 'unsatisfiable' }

/**
 * RFC 9110, 14.1.2: one range of bytes. Anything else that a Range header may say (other units, several ranges, nonsense)
 * may be ignored, and is: the whole is always a right answer.
 */
export function parseRange(header: string | undefined, sizeBytes: number): RequestedRange {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header?.trim() ?? '') ?? []
  if (first === '' && last === '') return { kind: 'whole' }
  if (first === '') return suffix(Number(last), sizeBytes)

  const start = Number(first)
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (last !== '' && Number(last) < start) return { kind: 'whole' }
  return start >= sizeBytes ? { kind: 'unsatisfiable' } : { kind: 'part', range: { start, end } }
}

function suffix(length: number, sizeBytes: number): RequestedRange {
  if (length === 0) return { kind: 'unsatisfiable' }
  return { kind: 'part', range: { start: Math.max(0, sizeBytes - length), end: sizeBytes - 1 } }
}
