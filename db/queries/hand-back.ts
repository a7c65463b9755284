import type { StageError, StageStatus } from '../schema/documents.ts'

/** May the bytes of a file leave the house, as they came? Asked of its security scan. */
export type HandBack = 'allowed' | 'pending' | 'infected' | 'unchecked'

export type ScanOutcome = {
  readonly status: StageStatus
  readonly error: StageError | null
  /** Taken or refused without a malware scan. */
  readonly isUnscanned: boolean
}

const infectedCode = 'file_infected'

/** Verdicts on files in which no malware was found: we cannot read the file, its people may have it back. */
const harmlessRefusals: ReadonlySet<string> = new Set([
  'file_corrupt',
  'file_encrypted',
  'file_too_large',
  'too_many_pages',
  'unsupported_file_type',
])

/** Asked of the stage, not of the last error: processing again wipes the error while the bytes stay what they were. */
export function handBackOf(scan: ScanOutcome | undefined): HandBack {
  if (scan?.status === 'completed') return 'allowed'
  if (scan?.status === 'pending' || scan?.status === 'running') return 'pending'
  const code = scan?.error?.code ?? ''
  if (code === infectedCode) return 'infected'
  if (scan?.isUnscanned === true) return 'unchecked'
  return harmlessRefusals.has(code) ? 'allowed' : 'unchecked'
}
