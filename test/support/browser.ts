import { JSDOM } from 'jsdom'
import type { Teardown } from './postgres.ts'

/**
 * From here on this process is a page of the origin, as far as requests go: XMLHttpRequest and the forms and files that
 * it takes are jsdom's, which asks servers for permission as browsers do.
 */
export function becomePage(t: Teardown, origin: string): void {
  const { window } = new JSDOM('', { url: origin })
  const { XMLHttpRequest, FormData: Form, Blob: PageBlob, File: PageFile } = window
  for (const [name, value] of Object.entries({ XMLHttpRequest, FormData: Form, Blob: PageBlob, File: PageFile }))
    replaceGlobal(t, name, value)
  t.teardown(() => window.close())
}

/** React Native's answers have no body that could be read as it comes. */
export function withoutStreams(t: Teardown): void {
  const body = Object.getOwnPropertyDescriptor(Response.prototype, 'body')
  if (body === undefined) throw new Error('answers have no bodies here')
  Reflect.deleteProperty(Response.prototype, 'body')
  t.teardown(() => Object.defineProperty(Response.prototype, 'body', body))
}

export function replaceGlobal(t: Teardown, name: string, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(globalThis, name)
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  t.teardown(() => {
    if (before === undefined) Reflect.deleteProperty(globalThis, name)
    else Object.defineProperty(globalThis, name, before)
  })
}
