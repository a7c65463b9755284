import type { Fact, Person, Word } from '../support/person.ts'

type Box = readonly number[]

export type Places = {
  readonly text: string
  readonly facts: readonly Fact[]
  readonly words: ReadonlyMap<number, readonly Word[]>
}

/** What the API says about a document's facts, its text and the words of the pages that they point to. */
export async function readPlaces(person: Person, documentId: string): Promise<Places> {
  const facts = await person.facts(documentId)
  const words = new Map<number, readonly Word[]>()
  for (const page of new Set(facts.flatMap((fact) => fact.sources.map((source) => source.page))))
    words.set(page, await person.words(documentId, page))
  return { facts, words, text: await person.text(documentId) }
}

export const misplacedSources = async (person: Person, documentId: string) =>
  misplacedIn(await readPlaces(person, documentId))

/**
 * What somebody who follows the facts to their pages would find wrong, in words; empty when every quote is what the text
 * says there, and its box lies on the very words that make it.
 */
export function misplacedIn({ facts, text, words }: Places): readonly string[] {
  return facts.flatMap((fact) => {
    if (fact.sources.length === 0) return [`${fact.type} "${fact.text}" has no source`]
    return fact.sources.flatMap((source) => {
      const said = text.slice(source.start, source.start + source.length)
      const wrong =
        said === source.quote ? whyMisplaced(source, words.get(source.page) ?? []) : `the text says "${said}"`
      return wrong === null ? [] : [`${fact.type} "${fact.text}", "${source.quote}" on page ${source.page}: ${wrong}`]
    })
  })
}

/** The words whose middle lies in the box are those of the quote, and together they fill it. */
function whyMisplaced(source: Fact['sources'][number], words: readonly Word[]): string | null {
  const inside = words.filter((word) => holds(source.box, middleOf(word.box)))
  const found = lettersOf(inside.map((word) => word.text).join(''))
  // Words stand in the order of the page's lines, a quote over two columns in that of its rows.
  const missing = source.quote.split(/\s+/).filter((part) => lettersOf(part) !== '' && !found.includes(lettersOf(part)))
  if (missing.length > 0) return `the box does not hold ${JSON.stringify(missing)} but "${found}"`
  const covered = overlap01(source.box, around(inside.map((word) => word.box)))
  return covered < 0.5 ? `the box and its words overlap by ${covered.toFixed(2)}` : null
}

const lettersOf = (text: string) => text.normalize('NFKC').replaceAll(/\s/g, '')

function middleOf([x0 = 0, y0 = 0, x1 = 0, y1 = 0]: Box): readonly [number, number] {
  return [(x0 + x1) / 2, (y0 + y1) / 2]
}

function holds([x0 = 0, y0 = 0, x1 = 0, y1 = 0]: Box, [x, y]: readonly [number, number]): boolean {
  return x0 <= x && x <= x1 && y0 <= y && y <= y1
}

function around(boxes: readonly Box[]): Box {
  const side = (index: number) => boxes.map((box) => box[index] ?? 0)
  return [Math.min(...side(0)), Math.min(...side(1)), Math.max(...side(2)), Math.max(...side(3))]
}

/** Intersection over union. */
function overlap01(a: Box, b: Box): number {
  const [ax0 = 0, ay0 = 0, ax1 = 0, ay1 = 0] = a
  const [bx0 = 0, by0 = 0, bx1 = 0, by1 = 0] = b
  const shared =
    Math.max(0, Math.min(ax1, bx1) - Math.max(ax0, bx0)) * Math.max(0, Math.min(ay1, by1) - Math.max(ay0, by0))
  return shared / (areaOf(a) + areaOf(b) - shared)
}

const areaOf = ([x0 = 0, y0 = 0, x1 = 0, y1 = 0]: Box) => (x1 - x0) * (y1 - y0)
