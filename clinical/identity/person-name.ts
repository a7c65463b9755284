/** Names as labels, letterheads and profiles write them, folded so that order, case, marks and hyphens do not matter. */
export type PersonName = {
  /** All parts in printed order, folded; hyphenated parts stand one by one. */
  readonly parts: readonly string[]
  readonly given: string | null
  /** More than one where the family name is hyphenated or of several words before a comma. */
  readonly family: readonly string[]
  /** What tells a father from a son of one name. */
  readonly generation: string | null
}

const titles = new Set(
  'mr mrs ms miss mx master mstr dr prof professor sir dame lady lord rev fr sister br hon jr snr jnr sr ii iii iv md phd obe am oam ac ao'.split(
    ' ',
  ),
)

/** Words that people put into a profile's name which name nobody. */
const rolesNotNames = new Set(
  `me myself self i my mine our the mum mom mummy mommy mother dad daddy father son daughter wife husband partner spouse child
   kid kids brother sister nanna grandma grandpa grandad granddad grandmother grandfather aunt auntie uncle family user account
   admin patient profile owner person somebody someone default test tester demo record records health s`.split(/\s+/),
)

/** Titles of documents that stand where a name might; nobody is called so. */
const documentWords =
  /\b(list|records?|reports?|summary|history|medications?|immuni[sz]ations?|patient|details|information|results?|chart|referral|discharge|prescription|pathology|hospital|clinic)\b/i

const generations: ReadonlyMap<string, string> = new Map([
  ...['jr', 'jnr'].map((word) => [word, 'junior'] as const),
  ...['sr', 'snr'].map((word) => [word, 'senior'] as const),
  ...['ii', 'iii', 'iv'].map((word) => [word, word] as const),
])

/** null: this is no name. */
export function parseName(text: string): PersonName | null {
  if (documentWords.test(text)) return null
  const generation = generationOf(text)
  const [before = '', after] = text.replace(/\([^)]*\)|\[[^\]]*\]/g, ' ').split(',')
  const first = nameParts(before)
  const second = nameParts(after ?? '')
  // "CITIZEN, Jane Mary": what stands before the comma is the family name, unless only titles follow.
  const isFamilyFirst = first.length > 0 && second.length > 0
  const parts = [...first, ...second]
  if (parts.length === 0) return null
  if (isFamilyFirst) return { parts, given: second[0] ?? null, family: first, generation }
  return { parts, given: parts.length > 1 ? (parts[0] ?? null) : null, family: familyOf(before, parts), generation }
}

/** "Sr" before a name is a sister. */
function generationOf(text: string): string | null {
  const [, ...later] = foldName(text).match(/\p{L}+/gu) ?? []
  const word = later.find((each) => generations.has(each))
  return word === undefined ? null : (generations.get(word) ?? null)
}

const scripts = ['Latin', 'Cyrillic', 'Greek', 'Han', 'Hangul', 'Hiragana', 'Katakana', 'Arabic', 'Hebrew', 'Thai']
  .concat(['Devanagari', 'Bengali', 'Gurmukhi', 'Tamil', 'Telugu', 'Khmer', 'Sinhala', 'Ethiopic', 'Armenian'])
  .map((script) => new RegExp(`\\p{Script=${script}}`, 'u'))

/** "王小明" and "Wang Xiaoming" may be one person or two: their letters do not say. */
export function shareScript(a: PersonName, b: PersonName): boolean {
  const [one, other] = [a.parts.join(''), b.parts.join('')]
  return scripts.some((script) => script.test(one) && script.test(other))
}

/** The name of a profile, without what names nobody ("Mum", "me"); null when nothing is left to compare. */
export function parseProfileName(text: string): PersonName | null {
  if (/[@\d_]/.test(text)) return null
  const kept = text
    .split(/\s+/)
    .filter((word) => !rolesNotNames.has(foldName(word)))
    .join(' ')
  return parseName(kept)
}

export function foldName(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/ß/g, 'ss')
    .replace(/ø/g, 'o')
    .replace(/æ/g, 'ae')
    .replace(/œ/g, 'oe')
    .replace(/ł/g, 'l')
    .replace(/đ|ð/g, 'd')
    .replace(/['’`´.]/g, '')
}

function nameParts(text: string): string[] {
  return foldName(text)
    .split(/[\s\-‐‑–/]+/)
    .map((part) => part.replace(/[^\p{L}]/gu, ''))
    .filter((part) => part !== '' && !titles.has(part))
}

function familyOf(text: string, parts: readonly string[]): string[] {
  const words = text.trim().split(/\s+/)
  const last = words.findLast((word) => nameParts(word).length > 0)
  const hyphenated = last === undefined ? [] : nameParts(last)
  return hyphenated.length > 0 && hyphenated.length < parts.length ? hyphenated : parts.slice(-1)
}
