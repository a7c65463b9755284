import type { Admission } from '../admission.ts'

/** Who a document is about decides whether its facts may pass; it is not itself a fact of the record. */
export function admitIdentity(): Admission {
  return { kind: 'noted', reason: 'This says who the document is about.' }
}
