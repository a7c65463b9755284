/** Quantities of two numbers: feet and inches, stones and pounds, pounds and ounces. They are counted in the smaller unit that the record knows. */
import type { Quantity } from './unit-conversion.ts'

const fraction: Readonly<Record<string, number>> = { '½': 0.5, '¼': 0.25, '¾': 0.75 }

type Compound = {
  readonly pattern: RegExp
  readonly ucum: string
  readonly sum: (large: number, small: number) => number
}

const compounds: readonly Compound[] = [
  {
    pattern:
      /^(\d)\s?(?:'|’|′|ft\.?|feet|foot)(?:[\s,]*(?:and )?(\d{1,2}(?:\.\d+)?)?\s?([½¼¾])?\s?(?:"|”|″|''|’’|in(?:ch(?:es)?)?\.?)?)?$/i,
    ucum: '[in_i]',
    sum: (feet, inches) => feet * 12 + inches,
  },
  {
    pattern:
      /^(\d{1,2})\s?(?:st|stones?)\.?(?:[\s,]*(?:and )?(\d{1,2}(?:\.\d+)?)?\s?([½¼¾])?\s?(?:lbs?|pounds?)\.?)?$/i,
    ucum: '[lb_av]',
    sum: (stones, pounds) => stones * 14 + pounds,
  },
  {
    pattern: /^(\d{1,3})\s?(?:lbs?|pounds?|#)\.?[\s,]*(?:and )?(\d{1,2}(?:\.\d+)?)?\s?([½¼¾])?\s?(?:oz|ounces?)\.?$/i,
    ucum: '[lb_av]',
    sum: (pounds, ounces) => pounds + ounces / 16,
  },
]

/** `5'10"` is 70 inches; null where the words are one number or none. */
export function compoundQuantity(printed: string | null): Quantity | null {
  const text = printed?.trim() ?? ''
  for (const { pattern, ucum, sum } of compounds) {
    const match = pattern.exec(text)
    if (match === null) continue
    const small = Number(match[2] ?? 0) + (fraction[match[3] ?? ''] ?? 0)
    return { value: Number(sum(Number(match[1]), small).toPrecision(6)), ucum }
  }
  return null
}
