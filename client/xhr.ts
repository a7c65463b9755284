import type { Answer } from './transport.ts'

/** What we use of XMLHttpRequest, which browsers and React Native have, and Node has not. */
export type Xhr = {
  open(method: string, url: string): void
  setRequestHeader(name: string, value: string): void
  getResponseHeader(name: string): string | null
  addEventListener(type: XhrEvent, listener: () => void): void
  send(body?: unknown): void
  abort(): void
  readonly readyState: number
  readonly status: number
  readonly responseText: string
  readonly upload: { addEventListener(type: 'progress', listener: (event: XhrProgress) => void): void }
}
export type XhrEvent = 'abort' | 'error' | 'load' | 'progress' | 'readystatechange' | 'timeout'
export type XhrProgress = { readonly loaded: number; readonly total: number }

const constructorOfPlatform = (): (new () => Xhr) | undefined => Reflect.get(globalThis, 'XMLHttpRequest')

export const hasXhr = (): boolean => constructorOfPlatform() !== undefined

export function openXhr(method: string, url: string, headers: Readonly<Record<string, string>>): Xhr {
  const XmlHttpRequest = constructorOfPlatform()
  if (XmlHttpRequest === undefined) throw new TypeError('this platform has no XMLHttpRequest')
  const xhr = new XmlHttpRequest()
  xhr.open(method, url)
  for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value)
  return xhr
}

/** Once its head is there. */
export const answerOf = (xhr: Xhr): Answer => ({
  status: xhr.status,
  headers: { get: (name) => xhr.getResponseHeader(name) },
  text: async () => xhr.responseText,
})
