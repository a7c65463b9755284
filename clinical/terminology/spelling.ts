/**
 * Words misread by OCR or mistyped, against a closed list: first the letters that look alike, then one slip in a long
 * word. Where two words of the list would do, none is taken: drug names are too like one another to guess.
 */

/** One letter wrong in eight still leaves little that the word could have been. */
const shortestSlip = 8
const letters = 'abcdefghijklmnopqrstuvwxyz'
/** Hostile text must not grow the memory of the process. */
const maxRemembered = 20_000

/** `isKnown`: words that are right as they stand, though this list lacks them ("thyroglobulin" among medicines). */
export function createSpelling(
  words: ReadonlyMap<string, string>,
  isKnown: (word: string) => boolean,
): (word: string) => string {
  let lookalikes: Map<string, string | null> | null = null
  const remembered = new Map<string, string>()
  return (word) => {
    if (words.has(word) || word.length < 3 || word.length > 40) return word
    const known = remembered.get(word)
    if (known !== undefined) return known
    lookalikes ??= groupLookalikes(words)
    const corrected = isKnown(word) ? word : (lookalikes.get(lookalike(word)) ?? oneSlip(word, words) ?? word)
    if (remembered.size >= maxRemembered) remembered.clear()
    remembered.set(word, corrected)
    return corrected
  }
}

function groupLookalikes(words: ReadonlyMap<string, string>): Map<string, string | null> {
  const groups = new Map<string, string | null>()
  for (const word of words.keys()) {
    const key = lookalike(word)
    groups.set(key, groups.has(key) ? null : word)
  }
  return groups
}

function lookalike(word: string): string {
  return word
    .replace(/[1i|!]/g, 'l')
    .replace(/0/g, 'o')
    .replace(/5/g, 's')
    .replace(/rn/g, 'm')
    .replace(/vv/g, 'w')
    .replace(/cl/g, 'd')
}

function oneSlip(word: string, words: ReadonlyMap<string, string>): string | null {
  if (word.length < shortestSlip || !/^[a-z]+$/.test(word)) return null
  const found = new Set<string>()
  for (let at = 0; at <= word.length; at += 1) {
    const [head, tail] = [word.slice(0, at), word.slice(at)]
    const candidates = [head + tail.slice(1), head + (tail[1] ?? '') + (tail[0] ?? '') + tail.slice(2)]
    for (const letter of letters) candidates.push(head + letter + tail, head + letter + tail.slice(1))
    for (const candidate of candidates) if (words.has(candidate)) found.add(candidate)
  }
  return found.size === 1 ? ([...found][0] ?? null) : null
}
