/**
 * Places of the days that stand in the way of an order. Of several days that run forwards or backwards but for one, that one
 * was misread; where any of two may be the one, neither can be relied on, and where none is, all stay.
 */
export function outOfOrder(days: readonly string[]): ReadonlySet<number> {
  if (days.length < 3 || isOrdered(days)) return new Set()
  const places = Array.from(days.keys())
  return new Set(places.filter((place) => isOrdered(days.filter((_, other) => other !== place))))
}

function isOrdered(days: readonly string[]): boolean {
  const steps = days.slice(1).map((day, before) => compare(days[before] ?? day, day))
  return steps.every((step) => step <= 0) || steps.every((step) => step >= 0)
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
