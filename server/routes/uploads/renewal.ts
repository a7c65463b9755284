export type Renewal = { readonly stop: () => Promise<void> }

/** Holds on to something for as long as a request takes; when `stop` resolves, nothing renews it any more. */
export function keepRenewing(renew: () => Promise<unknown>, everyMs: number): Renewal {
  let renewal: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // One after the other, so that none is under way when the last has been waited for. One that fails is not the end:
    // whoever writes next finds out whether it is still ours.
    renewal = renewal.then(renew).catch(() => {})
  }, everyMs)
  timer.unref()
  return {
    stop: async () => {
      clearInterval(timer)
      await renewal
    },
  }
}
