import type { StageOutcome } from '../../../db/schema/documents.ts'
import { consequences } from './findings.ts'
import type { ScanVerdict } from './scan-file.ts'

/** What is kept of a verdict: all that was seen, and a sentence on each thing that a person should know. */
export function outcomeOf({ verdict, findings, malware, checkedWith }: ScanVerdict): StageOutcome {
  return {
    notices: findings
      .filter((finding) => consequences[finding].verdict === 'marked')
      .map((finding) => ({ code: finding, message: consequences[finding].reason })),
    scan: { verdict, findings, malware, checked_with: checkedWith ?? [] },
  }
}
