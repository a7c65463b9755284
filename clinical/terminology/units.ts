/** Units as documents print them. Matched only directly after a number, longest first, repaired where OCR breaks them in known ways. */
import { once, readTable } from './read-table.ts'

export type Unit = { readonly printed: string; readonly ucum: readonly string[]; readonly dimension: string }
export type UnitMatch = { readonly start: number; readonly end: number; readonly unit: Unit }

const longestUnitWords = 5

/** The unit that starts at `from` (after optional spaces), or null. */
export function matchUnit(text: string, from: number, to: number): UnitMatch | null {
  const start = from + (/^\s*/.exec(text.slice(from, Math.min(to, from + 12)))?.[0].length ?? 0)
  const ends = wordEnds(text, start, to)
  for (const end of ends.toReversed()) {
    const match = unitBetween(text, start, end)
    if (match) return match
  }
  return null
}

/** A whole cell or word that is nothing but a unit. */
export function unitOf(printed: string): Unit | null {
  return units().get(squeeze(printed)) ?? units().get(repair(printed)) ?? null
}

/** As printed, or as the table writes it where the print was misread. */
export function legibleUnit(printed: string, unit: Unit): string {
  const plain = printed
    .replace(/\s+/g, ' ')
    .replace(/[.,;:\s]+$/, '')
    .trim()
  const isKnown = units().has(squeeze(plain)) && !/[?!"'|]/.test(plain)
  if (isKnown) return plain
  return /^[x×]/i.test(plain) ? unit.printed : unit.printed.replace(/^x(?=10)/, '')
}

/** As the table writes the units of these codes, the usual spelling of each first. */
export function unitsOfUcum(ucum: readonly string[]): readonly Unit[] {
  return ucum.flatMap((code) => Array.from(units().values()).filter((unit) => unit.ucum.includes(code)))
}

function unitBetween(text: string, start: number, end: number): UnitMatch | null {
  const printed = text.slice(start, end)
  const bare = printed.replace(/[.,;:]+$/, '')
  const candidates = bare.endsWith(')') && !bare.includes('(') ? [bare.slice(0, -1)] : [bare]
  for (const candidate of candidates) {
    const unit = candidate === '' ? null : unitOf(candidate)
    if (unit) return { start, end: start + candidate.length, unit }
  }
  return null
}

function wordEnds(text: string, start: number, to: number): number[] {
  const ends: number[] = []
  let place = start
  while (ends.length < longestUnitWords && place < to) {
    while (place < to && !/\s/.test(text[place] ?? ' ')) place += 1
    ends.push(place)
    if (text[place] !== ' ') break
    place += 1
  }
  return ends
}

const units = once(() => {
  const found = new Map<string, { printed: string; ucum: string[]; dimension: string }>()
  for (const row of readTable('units', ['text', 'ucum', 'dimension'])) {
    // The sign of degrees Fahrenheit, once it is plain letters, is an everyday word.
    if (squeeze(row.text) === 'of') continue
    const key = squeeze(row.text)
    const known = found.get(key)
    if (known) known.ucum.push(row.ucum)
    else found.set(key, { printed: row.text, ucum: [row.ucum], dimension: row.dimension })
  }
  return found
})

function squeeze(printed: string): string {
  return printed
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[µμ]/g, 'u')
    .replace(/×/g, 'x')
    .replace(/[\s^*.]/g, '')
    .replace(/^x(?=10)/, '')
}

/** OCR reads "l" as 1 or i behind a stroke, 0 as o, breaks the raised 9 of 10^9, and takes ² for other marks. */
function repair(printed: string): string {
  return squeeze(printed)
    .replace(/^x?[1il|]o(?=[^/]{1,3}\/)/, '10')
    .replace(/(?<=\/(?:m|d|u|f)?)[1i|!](?=$|\/)/g, 'l')
    .replace(/mo[1i|!](?=$|\/)/g, 'mol')
    .replace(/^x?10[^/\s]{0,2}?(3|6|9|12)(?=\/(?:l|ul|mcl|mm3|ml)$)/, '10$1')
    .replace(/(?<=\/[a-z]{0,2}m)[?"'°”z*]+$/, '2')
    .replace(/(?<=173m)[^\d]?$/, '2')
}
