/** As `signal.throwIfAborted()`, which older React Native has not. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw reasonOf(signal)
}

/** What the caller gave to `abort`; older React Native forgets it, and `undefined` must not be thrown. */
export function reasonOf(signal: AbortSignal): unknown {
  const reason: unknown = signal.reason
  return reason ?? Object.assign(new Error('This operation was aborted'), { name: 'AbortError' })
}
