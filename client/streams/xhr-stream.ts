import { unreachable } from '../exora-error.ts'
import { answerOf, openXhr } from '../xhr.ts'
import type { Xhr } from '../xhr.ts'
import type { TextStream } from './text-stream.ts'

const headersReceived = 2
/** The whole text grows in memory, so a long stream is taken up anew from time to time. */
const longestChars = 1_000_000

/** Resolves with the head of the answer. */
export function streamByXhr(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<TextStream> {
  const xhr = openXhr('GET', url, headers)
  const text = new ComingText(xhr)
  return new Promise((resolve, reject) => {
    const broken = () => {
      text.turn('broken')
      reject(unreachable(undefined))
    }
    xhr.addEventListener('readystatechange', () => {
      if (xhr.readyState >= headersReceived && xhr.status !== 0)
        resolve({ ...answerOf(xhr), text: () => text.whole(), next: () => text.next(), close: () => xhr.abort() })
    })
    xhr.addEventListener('progress', () => text.turn('open'))
    xhr.addEventListener('load', () => text.turn('ended'))
    for (const type of ['abort', 'error', 'timeout'] as const) xhr.addEventListener(type, broken)
    signal.addEventListener('abort', () => xhr.abort(), { once: true })
    if (signal.aborted) return broken()
    xhr.send()
  })
}

class ComingText {
  readonly #xhr: Xhr
  #state: 'open' | 'ended' | 'broken' = 'open'
  #read = 0
  #waiting: (() => void) | null = null

  constructor(xhr: Xhr) {
    this.#xhr = xhr
  }

  turn(state: 'open' | 'ended' | 'broken'): void {
    this.#state = state
    this.#waiting?.()
    this.#waiting = null
  }

  /** Null: there is no more, or it is time to come back. */
  async next(): Promise<string | null> {
    if (this.#read > longestChars) return null
    while (this.#state === 'open' && this.#xhr.responseText.length === this.#read) await this.#change()
    this.#requireWhole()
    const chunk = this.#xhr.responseText.slice(this.#read)
    this.#read += chunk.length
    return chunk === '' ? null : chunk
  }

  async whole(): Promise<string> {
    while (this.#state === 'open') await this.#change()
    this.#requireWhole()
    return this.#xhr.responseText
  }

  #requireWhole(): void {
    // Of what broke off, React Native gives the error as its text.
    if (this.#state === 'broken') throw unreachable(undefined)
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}
