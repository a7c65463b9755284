const widthTag = 256
const heightTag = 257
const short = 3

/** Width times height of each page, read from the directories themselves; ends where they end, break or run in a circle. */
export function tiffPixels(bytes: Buffer, mostPages: number): number[] {
  const isLittle = bytes.toString('latin1', 0, 2) === 'II'
  const number16 = (at: number) => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const number32 = (at: number) => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  // The form for files above 4 GB keeps its directories otherwise.
  if (bytes.length < 8 || number16(2) !== 42) return []
  const pages: number[] = []
  const seen = new Set<number>()
  for (let at = number32(4); at !== 0 && at + 2 <= bytes.length && !seen.has(at) && pages.length < mostPages;) {
    seen.add(at)
    const end = at + 2 + number16(at) * 12
    if (end + 4 > bytes.length) break
    let [width, height] = [0, 0]
    for (let entry = at + 2; entry < end; entry += 12) {
      const value = number16(entry + 2) === short ? number16(entry + 8) : number32(entry + 8)
      if (number16(entry) === widthTag) width = value
      if (number16(entry) === heightTag) height = value
    }
    pages.push(width * height)
    at = number32(end)
  }
  return pages
}
