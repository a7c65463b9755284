/** Lists of whole numbers as bytes: small ones, of either sign, take one byte, and seven bits more need one more. */
export function packNumbers(lists: readonly (readonly number[])[]): Buffer {
  const bytes: number[] = []
  for (const list of lists) {
    writeNatural(bytes, list.length)
    for (const number of list) writeNatural(bytes, number < 0 ? -2 * number - 1 : 2 * number)
  }
  return Buffer.from(bytes)
}

export function unpackNumbers(bytes: Uint8Array): number[][] {
  const lists: number[][] = []
  let place = 0
  const next = (): number => {
    let [natural, shift] = [0, 1]
    for (;;) {
      const byte = bytes[place++] ?? 0
      natural += (byte & 127) * shift
      if (byte < 128) return natural
      shift *= 128
    }
  }
  while (place < bytes.length) {
    const length = next()
    const list: number[] = []
    for (let index = 0; index < length; index += 1) {
      const natural = next()
      list.push(natural % 2 === 1 ? -(natural + 1) / 2 : natural / 2)
    }
    lists.push(list)
  }
  return lists
}

function writeNatural(bytes: number[], natural: number): void {
  let rest = natural
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}
