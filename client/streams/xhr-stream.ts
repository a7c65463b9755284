import { unreachable } from '../exora-error.ts'
import type { Answer, Transport } from '../transport.ts'
import { openXhr } from '../xhr.ts'
import type { Xhr } from '../xhr.ts'

export type XhrOpening = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connection: AbortController
}

/** The server says something at least every 15 s; a phone that changed its network would otherwise wait for ever. */
export const silenceMs = 50_000
const headersReceived = 2

/** The whole text grows in memory, so a long stream is taken up anew from time to time. */
const longestChars = 1_000_000

export async function* openXhrStream(transport: Transport, opening: XhrOpening): AsyncGenerator<string> {
  const { url, headers, connection } = opening
  const running = await transport.once(url, headers, (to, all) => start(to, all, connection.signal))
  try {
    for (let told = 0; told < longestChars;) {
      const chunk = await running.next()
      if (chunk === null) return
      told += chunk.length
      yield chunk
    }
  } finally {
    running.xhr.abort()
  }
}

/** Resolves with the head of the answer; its text is handed out as it comes. */
function start(url: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<XhrText> {
  signal.throwIfAborted()
  const running = new XhrText(openXhr('GET', url, headers))
  const { xhr } = running
  return new Promise<XhrText>((resolve, reject) => {
    const broken = () => {
      running.turn('broken')
      reject(unreachable(signal.reason))
    }
    xhr.addEventListener('readystatechange', () => {
      if (xhr.readyState >= headersReceived && xhr.status !== 0) resolve(running)
    })
    xhr.addEventListener('progress', () => running.turn('open'))
    xhr.addEventListener('load', () => running.turn('ended'))
    xhr.addEventListener('error', broken)
    signal.addEventListener('abort', () => {
      xhr.abort()
      broken()
    })
    xhr.send()
  })
}

class XhrText implements Answer {
  readonly xhr: Xhr
  readonly headers = { get: (name: string) => this.xhr.getResponseHeader(name) }
  #state: 'open' | 'ended' | 'broken' = 'open'
  #read = 0
  #waiting: (() => void) | null = null

  constructor(xhr: Xhr) {
    this.xhr = xhr
  }

  get status(): number {
    return this.xhr.status
  }

  turn(state: 'open' | 'ended' | 'broken'): void {
    this.#state = state
    this.#waiting?.()
    this.#waiting = null
  }

  /** Null: there is no more. */
  async next(): Promise<string | null> {
    const silence = setTimeout(() => this.turn('broken'), silenceMs)
    while (this.#state === 'open' && this.xhr.responseText.length === this.#read) await this.#change()
    clearTimeout(silence)
    if (this.#state === 'broken') throw unreachable(undefined)
    const chunk = this.xhr.responseText.slice(this.#read)
    this.#read += chunk.length
    return chunk === '' ? null : chunk
  }

  async text(): Promise<string> {
    while (this.#state === 'open') await this.#change()
    return this.xhr.responseText
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }
}
