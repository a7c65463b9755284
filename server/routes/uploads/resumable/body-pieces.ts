/**
 * The body of a request, cut into pieces. A connection that breaks ends the piece that is just coming and fails
 * nothing: what has arrived is kept.
 */
export type BodyPieces = {
  /** Whether there is at least one more byte; waits for it. */
  hasMore(): Promise<boolean>
  /** At most so many bytes; less only where the body ends. */
  next(maxBytes: number): AsyncIterable<Uint8Array>
}

const nothing = new Uint8Array()

export function cutBody(source: AsyncIterable<Uint8Array>): BodyPieces {
  const chunks = source[Symbol.asyncIterator]()
  let rest: Uint8Array = nothing
  let hasEnded = false

  async function hasMore(): Promise<boolean> {
    while (rest.byteLength === 0 && !hasEnded) {
      const read = await chunks.next().catch(() => null)
      if (read === null || read.done === true) hasEnded = true
      else rest = read.value
    }
    return rest.byteLength > 0
  }

  async function* next(maxBytes: number) {
    let leftBytes = maxBytes
    while (leftBytes > 0 && (await hasMore())) {
      const part = rest.subarray(0, leftBytes)
      rest = rest.subarray(part.byteLength)
      leftBytes -= part.byteLength
      yield part
    }
  }
  return { hasMore, next }
}
