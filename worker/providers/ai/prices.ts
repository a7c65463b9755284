/** US dollars for a million tokens, in, read again and out, as published in 2025. An unknown model has no price, not a wrong one. */
const prices: readonly (readonly [model: string, tokensIn: number, tokensCached: number, tokensOut: number])[] = [
  ['gpt-4o-mini', 0.15, 0.075, 0.6],
  ['gpt-4o', 2.5, 1.25, 10],
  ['gpt-4.1-nano', 0.1, 0.025, 0.4],
  ['gpt-4.1-mini', 0.4, 0.1, 1.6],
  ['gpt-4.1', 2, 0.5, 8],
  ['gpt-5-nano', 0.05, 0.005, 0.4],
  ['gpt-5-mini', 0.25, 0.025, 2],
  ['gpt-5', 1.25, 0.125, 10],
]

type Used = { readonly tokensIn: number; readonly tokensCached?: number; readonly tokensOut: number }

/** Dated versions ("gpt-4o-mini-2024-07-18") cost what their model costs. */
export function costUsd(model: string, { tokensIn, tokensCached = 0, tokensOut }: Used): number | null {
  const price = prices.find(([name]) => model === name || model.startsWith(`${name}-20`))
  if (price === undefined) return null
  const [, forIn, forCached, forOut] = price
  const cached = Math.min(tokensCached, tokensIn)
  return ((tokensIn - cached) * forIn + cached * forCached + tokensOut * forOut) / 1_000_000
}
