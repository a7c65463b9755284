/** Fetches as the client does, and holds no more of an answer than one can have: a body has no end of its own. */
import { aiRefused } from './provider.ts'

const mostBytes = 4_000_000
const mostErrorBytes = 20_000

/** What services say of an error, whatever its shape; the client keeps it only where it has the maker's own. */
const said = new WeakMap<Headers, string>()
export const saidWith = (headers: Headers | undefined): string =>
  headers === undefined ? '' : (said.get(headers) ?? '')

export async function limitedFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init)
  const { status, headers } = response
  const body = response.body?.pipeThrough(cutAt(mostBytes)) ?? null
  if (response.ok) return new Response(body, { status, headers })
  const text = await new Response(body).text()
  const failed = new Response(text, { status, headers })
  said.set(failed.headers, text.slice(0, mostErrorBytes))
  return failed
}

function cutAt(most: number): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let bytes = 0
  return new TransformStream({
    transform(part, controller) {
      bytes += part.byteLength
      if (bytes > most) controller.error(aiRefused({ reason: 'too_large' }))
      else controller.enqueue(part)
    },
  })
}
