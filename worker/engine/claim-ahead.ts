import type { ClaimedRow } from '../../db/queries/claims.ts'

// As much as the slots do in this time is claimed before there is a slot for it. Document jobs run for longer than
// that, and nothing is claimed ahead: they would wait here while another worker is idle, and a crash would take them along.
const horizonMs = 50
const maxAhead = 1_000
// What has not begun after this time waits for a slot that is held by something long.
export const staleAheadMs = 500
const cautiousMs = 10_000
const weightOfLast = 0.2

/** Learns from the jobs of this process how many may be claimed before there is a slot for them. */
export type ClaimAhead = {
  /** Zero until jobs have proved to be short, and for a while after that was wrong. */
  sizeFor(slots: number): number
  note(job: ClaimedRow, ranMs: number): void
  wasWrong(): void
}

export function createClaimAhead(now: () => number = () => performance.now()): ClaimAhead {
  const meanMsByType = new Map<string, number>()
  let slowestMs = Number.POSITIVE_INFINITY
  let cautiousUntil = 0

  return {
    sizeFor(slots) {
      if (slowestMs > horizonMs / 2 || now() < cautiousUntil) return 0
      return Math.min(maxAhead, Math.floor((slots * horizonMs) / Math.max(slowestMs, 0.01)))
    },
    note(job, ranMs) {
      const known = meanMsByType.get(job.type)
      meanMsByType.set(job.type, known === undefined ? ranMs : known + (ranMs - known) * weightOfLast)
      slowestMs = Math.max(...meanMsByType.values())
    },
    wasWrong() {
      cautiousUntil = now() + cautiousMs
    },
  }
}
