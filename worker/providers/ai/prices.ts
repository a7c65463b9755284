/** US dollars for a million tokens, in and out, as published in 2025. An unknown model has no price, not a wrong one. */
const prices: readonly (readonly [model: string, tokensIn: number, tokensOut: number])[] = [
  ['gpt-4o-mini', 0.15, 0.6],
  ['gpt-4o', 2.5, 10],
  ['gpt-4.1-nano', 0.1, 0.4],
  ['gpt-4.1-mini', 0.4, 1.6],
  ['gpt-4.1', 2, 8],
]

/** Dated versions ("gpt-4o-mini-2024-07-18") cost what their model costs. */
export function costUsd(model: string, used: { readonly tokensIn: number; readonly tokensOut: number }): number | null {
  const price = prices.find(([name]) => model === name || model.startsWith(`${name}-20`))
  return price === undefined ? null : (used.tokensIn * price[1] + used.tokensOut * price[2]) / 1_000_000
}
