import type { ClaimedRow, ClaimStart } from '../../db/queries/claims.ts'
import type { JobLane } from '../../db/schema/queue.ts'

/**
 * Where a claim begins to look. Usually at the very beginning. While some transaction keeps an old snapshot, though, the
 * database can clean nothing up, and a look from the beginning walks past every job that was claimed since: then claims
 * begin a little before the last job they got, and once a second one looks at everything, for what was put in before that place.
 */
export type ClaimStarts = {
  /** Null: from the very beginning. */
  next(): readonly ClaimStart[] | null
  /** What the claim with that start found, and how long it took. */
  note(start: readonly ClaimStart[] | null, found: readonly ClaimedRow[], tookMs: number): void
}

// A look from the beginning that takes longer than this, twice in a row, has walked past something.
const slowMs = 15
const slowMsPerJob = 0.5
const wholeLookEveryMs = 1_000
// A transaction that began before the job that was claimed last may commit after it.
const slackMs = 5_000
const priorities = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
const beginning = { turn: 0, dueAtMs: 0 }

export function createClaimStarts(lanes: readonly JobLane[], now: () => number = () => performance.now()): ClaimStarts {
  const lastPlaces = new Map<string, { readonly turn: number; readonly dueAtMs: number }>()
  let slowLooks = 0
  let wholeLookAt = 0

  function keepPlaces(found: readonly ClaimedRow[]): void {
    for (const { lane, priority, fairTurn, dueAtMs } of found)
      lastPlaces.set(`${lane} ${priority}`, { turn: fairTurn, dueAtMs: dueAtMs - slackMs })
  }

  return {
    next() {
      if (slowLooks < 2 || now() >= wholeLookAt) return null
      return lanes.flatMap((lane) =>
        priorities.map((priority) => ({ lane, priority, ...(lastPlaces.get(`${lane} ${priority}`) ?? beginning) })),
      )
    },
    note(start, found, tookMs) {
      keepPlaces(found)
      if (start !== null) return
      slowLooks = tookMs > slowMs + found.length * slowMsPerJob ? slowLooks + 1 : 0
      wholeLookAt = now() + wholeLookEveryMs
    },
  }
}
