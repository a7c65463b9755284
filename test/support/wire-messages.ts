/** Cuts what a PostgreSQL server sends into its messages: one letter, a length, the rest. */
export function forEachMessage(take: (type: string, message: Buffer) => void): (bytes: Buffer) => void {
  let waiting = Buffer.alloc(0)
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= 5) {
      const length = 1 + waiting.readUInt32BE(1)
      if (waiting.length < length) return
      take(String.fromCharCode(waiting[0] ?? 0), waiting.subarray(0, length))
      waiting = waiting.subarray(length)
    }
  }
}
