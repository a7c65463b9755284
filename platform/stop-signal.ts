import type { EventEmitter } from 'node:events'

export type StopSignals = {
  /** Aborted by the first SIGTERM or SIGINT: finish what is begun, take nothing new. */
  readonly asked: AbortSignal
  /** Aborted by the second: leave now. */
  readonly insisted: AbortSignal
  readonly dispose: () => void
}

const names = ['SIGTERM', 'SIGINT'] as const

export function listenForStop(source: Pick<EventEmitter, 'on' | 'off'> = process): StopSignals {
  const asked = new AbortController()
  const insisted = new AbortController()
  const onSignal = (name: string) => {
    const next = asked.signal.aborted ? insisted : asked
    next.abort(new Error(`stopped by ${name}`))
  }
  for (const name of names) source.on(name, onSignal)
  return {
    asked: asked.signal,
    insisted: insisted.signal,
    dispose: () => {
      for (const name of names) source.off(name, onSignal)
    },
  }
}
