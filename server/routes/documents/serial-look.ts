/**
 * Runs a look at most once at a time. Calls that come during a look lead to exactly one more behind it, so that nothing
 * is missed and a burst of notifications costs two queries.
 */
export function createSerialLook(look: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let state: 'idle' | 'looking' | 'looking, and again' = 'idle'
  const run = async () => {
    do {
      state = 'looking'
      await look()
    } while (isWantedAgain())
    state = 'idle'
  }
  const isWantedAgain = () => state === 'looking, and again'
  return () => {
    if (state !== 'idle') {
      state = 'looking, and again'
      return
    }
    run().catch((error: unknown) => {
      state = 'idle'
      onError(error)
    })
  }
}
