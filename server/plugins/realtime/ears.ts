import type { Database } from '../../../db/client.ts'
import type { Logger } from '../../../platform/log.ts'

// A connection that LISTENs and hears nothing costs a listener so much at most.
const ticksPerLook = 2

export type Ears = {
  /** Something was heard. */
  readonly hear: () => void
  /** Asked with every tick. */
  readonly isTimeToLook: () => boolean
}

/**
 * Looks now and then without having been woken. What such a look finds should have been heard of: where it was not, the
 * connection is deaf, and another is made.
 */
export function createEars(db: Database, log: Logger, found: () => number): Ears {
  let ticks = 0
  let heard = 0
  let before = { heard: 0, found: 0 }
  return {
    hear: () => {
      heard += 1
    },
    isTimeToLook: () => {
      ticks += 1
      if (ticks % ticksPerLook !== 0) return false
      const now = { heard, found: found() }
      const isDeaf = now.found > before.found && now.heard === before.heard
      before = now
      if (isDeaf) {
        log.warn({ event: 'realtime_deaf' }, 'events were found that no notification told of')
        db.relisten()
      }
      return true
    },
  }
}
