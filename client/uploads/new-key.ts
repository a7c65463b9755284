/** Unique, not secret: keys count within one account and profile. React Native has no `crypto` of its own. */
export function newKey(): string {
  // Browsers have `crypto` without it on pages that did not come over HTTPS.
  const platform: { readonly crypto?: { readonly randomUUID?: () => string } } = globalThis
  return platform.crypto?.randomUUID?.() ?? [Date.now().toString(36), digits(), digits(), digits()].join('-')
}

const digits = () => Math.floor(Math.random() * 2 ** 32).toString(36)
