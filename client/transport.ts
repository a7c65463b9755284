import { refusalOf, unreachable } from './exora-error.ts'
import { createPatience, withRetries } from './retries.ts'
import type { Repeat, RetryPolicy } from './retries.ts'
import type { Tokens } from './tokens.ts'

/** What both fetch and XMLHttpRequest can tell of an answer. */
export type Answer = {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>
export type CallOptions = { readonly signal?: AbortSignal | undefined }

export type Call = CallOptions & {
  readonly method: 'DELETE' | 'GET' | 'HEAD' | 'PATCH' | 'POST' | 'PUT'
  readonly path: string
  readonly query?: Query
  readonly json?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Left out: always, but for POST and PATCH. */
  readonly repeat?: Repeat
}

export type Send<A extends Answer> = (url: string, headers: Readonly<Record<string, string>>) => Promise<A>

export type Transport = {
  readonly fetch: typeof globalThis.fetch
  readonly retries: RetryPolicy
  readonly urlOf: (path: string, query?: Query) => string
  /** Once, with a token; asked again once if it was refused. Anything but a success is thrown. */
  readonly once: <A extends Answer>(url: string, headers: Readonly<Record<string, string>>, send: Send<A>) => Promise<A>
  readonly ask: (call: Call) => Promise<Response>
  readonly json: <T>(call: Call) => Promise<T>
}

export type TransportDeps = {
  readonly baseUrl: string
  readonly tokens: Tokens
  readonly fetch: typeof globalThis.fetch
  readonly retries: RetryPolicy
}

export function createTransport({ baseUrl, tokens, fetch, retries }: TransportDeps): Transport {
  const urlOf = (path: string, query: Query = {}) => baseUrl.replace(/\/+$/, '') + path + queryOf(query)

  const once: Transport['once'] = async (url, headers, send) => {
    const token = await tokens.current()
    const answer = await reach(() => send(url, { ...headers, ...bearer(token) }))
    if (answer.status !== 401 || !(await tokens.renew(token))) return await successOf(answer)
    await reach(() => answer.text())
    const renewed = await tokens.current()
    return await successOf(await reach(() => send(url, { ...headers, ...bearer(renewed) })))
  }

  const ask = async (call: Call) => {
    const { method, path, query, json, headers = {}, signal } = call
    const body = json === undefined ? {} : { body: JSON.stringify(json) }
    const type = json === undefined ? {} : { 'content-type': 'application/json' }
    const repeat = call.repeat ?? (method === 'POST' || method === 'PATCH' ? 'refused' : 'always')
    const send: Send<Response> = (url, all) =>
      fetch(url, { method, headers: all, ...body, ...(signal === undefined ? {} : { signal }) })
    return await withRetries(() => once(urlOf(path, query), { ...type, ...headers }, send), {
      patience: createPatience(retries),
      repeat,
      signal,
    })
  }

  return { fetch, retries, urlOf, once, ask, json: async (call) => await jsonOf(await ask(call)) }
}

/** The server checks what it answers against the schema that the type is made of. */
export async function jsonOf<T>(answer: Answer): Promise<T> {
  return JSON.parse(await reach(() => answer.text()))
}

/** Whatever breaks on the way is `unreachable`; what the caller has called off stays theirs. */
export async function reach<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (error) {
    throw error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError')
      ? error
      : unreachable(error)
  }
}

async function successOf<A extends Answer>(answer: A): Promise<A> {
  if (answer.status >= 200 && answer.status < 300) return answer
  throw refusalOf(answer, await reach(() => answer.text()))
}

const bearer = (token: string | null) => (token === null ? {} : { authorization: `Bearer ${token}` })

function queryOf(query: Query): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  )
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}
