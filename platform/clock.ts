/** Taken as a dependency wherever a test must be able to choose the time. */
export type Clock = {
  /** For what is stored or shown. */
  readonly now: () => Date
  /** For durations: never goes back. */
  readonly monotonicMs: () => number
}

export const systemClock: Clock = { now: () => new Date(), monotonicMs: () => performance.now() }
