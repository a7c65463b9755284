/** Numbers that look random and are the same for the same seed. Each part of a soak has its own stream. */
export type Random = {
  /** At least 0, less than 1. */
  next(): number
  between(low: number, high: number): number
  /** A whole number; both ends may come. */
  whole(low: number, high: number): number
  chance(probability01: number): boolean
  pick<T>(choices: readonly T[]): T
  shuffled<T>(items: readonly T[]): T[]
}

export function createRandom(seed: number, stream: string): Random {
  let state = seed | 0
  for (const byte of Buffer.from(stream)) state = Math.imul(state ^ byte, 0x01000193)

  // Mulberry32.
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  const whole = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))

  return {
    next,
    between: (low, high) => low + next() * (high - low),
    whole,
    chance: (probability01) => next() < probability01,
    pick(choices) {
      const choice = choices[whole(0, choices.length - 1)]
      if (choice === undefined) throw new RangeError('nothing to choose from')
      return choice
    },
    shuffled: (items) =>
      items
        .map((item) => ({ item, place: next() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ item }) => item),
  }
}
