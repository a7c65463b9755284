/**
 * The pictures that are being read in this process, over all its files: so many at once, and no more bytes than this
 * together. First come, first served; a picture that is larger than the whole room is read when there is no other.
 */
export type PictureRoom = {
  /** Resolves with the way out as soon as there is room; rejects with the signal's reason when it is aborted before. */
  readonly enter: (bytes: number, signal: AbortSignal) => Promise<() => void>
}

export type RoomSize = { readonly pictures: number; readonly bytes: number }

type Waiting = { readonly bytes: number; readonly admit: () => void }

export function createPictureRoom(size: RoomSize): PictureRoom {
  const line: Waiting[] = []
  let inside = { pictures: 0, bytes: 0 }

  const fits = (bytes: number) =>
    inside.pictures === 0 || (inside.pictures < size.pictures && inside.bytes + bytes <= size.bytes)

  function admitWaiting(): void {
    for (let first = line[0]; first !== undefined && fits(first.bytes); first = line[0]) {
      line.shift()
      inside = { pictures: inside.pictures + 1, bytes: inside.bytes + first.bytes }
      first.admit()
    }
  }

  return {
    enter: async (bytes, signal) => {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const waiting = { bytes, admit: resolve }
      const giveUp = () => {
        const place = line.indexOf(waiting)
        if (place === -1) return
        line.splice(place, 1)
        reject(signal.reason)
        admitWaiting()
      }
      line.push(waiting)
      signal.addEventListener('abort', giveUp, { once: true })
      admitWaiting()
      await promise.finally(() => signal.removeEventListener('abort', giveUp))
      return () => {
        inside = { pictures: inside.pictures - 1, bytes: inside.bytes - bytes }
        admitWaiting()
      }
    },
  }
}
