/**
 * Facts that a file states as data come first, and the rules leave them alone: what a rule read from the words of an
 * entry, or found once more in the narrative beside it, is dropped. Running text that no entry repeats is read as ever.
 */
import { codeFact } from '../../clinical/coding/coding.ts'
import { observationOfLoinc } from '../../clinical/coding/loinc-concepts.ts'
import type { FactType, FindFacts, FoundFact } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { coverOf, touchedBy, type Cover } from '../../clinical/document/places.ts'
import type { PlacedEntry } from '../../clinical/document/structured-entry.ts'
import { allergenLexicon, medicineLexicon, vaccineLexicon } from '../../clinical/terminology/concepts.ts'
import { findTerms, type Lexicon } from '../../clinical/terminology/lexicon.ts'
import { foldWord, tokenise } from '../../clinical/terminology/tokens.ts'

type Findings = ReturnType<FindFacts>
export type StatedFindings = Findings & { readonly stated: readonly FoundFact[] }

const foundBy = { pass: 1, provider: 'local', model: 'coded entries', promptVersion: null } as const

/** The document as the rules read it: in place of data there are spaces, so that no date or unit of it slips into a sentence. */
export function forRules(document: MappedDocument): MappedDocument {
  const { structure, ...rest } = document
  if (structure === undefined || structure === null) return document
  const data = structure.data.map(([start, end]) => ({ start, length: end - start }))
  const pieces: string[] = []
  let at = 0
  // Headings are data too, and say what the text below them is about.
  for (const { start, length } of document.lines.filter(({ kind }) => kind !== 'heading')) {
    for (const range of touchedBy(data, { start, end: start + length })) {
      const [from, to] = [Math.max(range.start, start), Math.min(range.start + range.length, start + length)]
      pieces.push(rest.text.slice(at, from), rest.text.slice(from, to).replaceAll(/\S/g, ' '))
      at = to
    }
  }
  return { ...rest, text: pieces.join('') + rest.text.slice(at) }
}

export function withStated(document: MappedDocument, byRules: Findings): StatedFindings {
  const structure = document.structure ?? null
  if (structure === null) return { ...byRules, stated: [] }
  const data = coverOfData(document)
  const known = knownThings(structure.entries)
  const tables = coverOf(rangesOfTables(document))
  const facts = byRules.facts.filter(
    (fact) =>
      !saysNothing(fact) &&
      !standsOn(fact, data) &&
      !known.has(fact) &&
      // Who a file is about, it states; headings of its tables look like names at times.
      !(fact.type === 'identity' && standsOn(fact, tables)),
  )
  const unreadLines = byRules.unreadLines.filter((index) => {
    const line = document.lines[index]
    return line !== undefined && !data.touches({ start: line.start, end: line.start + line.length })
  })
  return { stated: structure.entries.map(statedFact), facts, unreadLines, ruledOut: byRules.ruledOut }
}

const rangesOfTables = ({ lines, structure }: MappedDocument) =>
  (structure?.entries ?? []).length === 0
    ? []
    : lines.filter(({ table }) => table !== null).map(({ start, length }) => ({ start, end: start + length }))

/** What is data and no running text. */
export function coverOfData(document: MappedDocument): Cover {
  return coverOf((document.structure?.data ?? []).map(([start, end]) => ({ start, end })))
}

/** The rules' and a model's facts that say again what an entry says. */
export function knownThings(entries: readonly PlacedEntry[]): { readonly has: (fact: FoundFact) => boolean } {
  const things = Map.groupBy(entries.map(thingOf), ({ group }) => group)
  return {
    has: (fact) => {
      // Whom running text or an attached report names must still be compared.
      if (fact.type === 'identity') return false
      const { group, ...said } = thingOf(fact)
      if (group === 'encounter') return things.has(group)
      // What an entry says of a relative is not read as the patient's from the words beside it.
      const groups = group === 'condition' ? [group, 'family_history'] : [group]
      return groups.some((each) =>
        (things.get(each) ?? []).some((thing) => isSame(thing, said) && !isNews(thing.fact, fact)),
      )
    },
  }
}

/** Forms fill their fields in where there is nothing to say. */
function saysNothing({ text }: FoundFact): boolean {
  return /^(?:not (?:available|indicated|applicable|recorded|known|given|specified|documented)|none|n\/?a|unknown|no\b.*\b(?:indicated|documented|recorded|reported|available|listed|on file))\b/i.test(
    text,
  )
}

function standsOn(fact: FoundFact, data: Cover): boolean {
  return fact.spans.some(({ role, start, length }) => role === 'name' && data.touches({ start, end: start + length }))
}

function statedFact({ spans, ...entry }: PlacedEntry): FoundFact {
  return { ...entry, spans, concept: observationOfLoinc(entry.detail.codes ?? []), strength: 'strong', foundBy }
}

type Thing = {
  readonly group: string
  readonly words: ReadonlySet<string>
  readonly codes: ReadonlySet<string>
  readonly fact: PlacedEntry | FoundFact
}

const groups: { readonly [Type in FactType]?: string } = {
  symptom: 'condition',
  vital_sign: 'measured',
  lab_result: 'measured',
  physical_finding: 'measured',
  imaging_result: 'measured',
}

function thingOf(fact: PlacedEntry | FoundFact): Thing {
  const concept = 'concept' in fact ? fact.concept : observationOfLoinc(fact.detail.codes ?? [])
  const { candidates } = codeFact({ ...fact, concept })
  return {
    group: groups[fact.type] ?? fact.type,
    words: new Set(nameWords(fact)),
    codes: new Set([
      ...candidates.filter(({ isEquivalent }) => isEquivalent).map(({ system, code }) => `${system} ${code}`),
      ...conceptsIn(fact),
    ]),
    fact,
  }
}

/** "Keflex" and "cephalexin 500 mg" name the same ingredient. */
function conceptsIn({ type, text }: { readonly type: FactType; readonly text: string }): string[] {
  const lexicon = lexicons[type]?.()
  if (lexicon === undefined) return []
  return findTerms(lexicon, tokenise(text), 'any').flatMap(({ terms }) => terms.map(({ meaning }) => meaning.concept))
}

const lexicons: { readonly [Type in FactType]?: () => Lexicon<{ readonly concept: string }> } = {
  medication: medicineLexicon,
  allergy: allergenLexicon,
  immunization: vaccineLexicon,
}

const fillers = new Set(['of', 'the', 'a', 'an', 'in', 'to', 'and', 'disorder', 'finding', 'product', 'substance'])

function nameWords({ text }: { readonly text: string }): string[] {
  return tokenise(text)
    .map((token) => foldWord(token.text))
    .filter((word) => /[\p{L}\p{N}]/u.test(word) && !fillers.has(word))
}

/** A code in common, or all the words of the shorter name in the longer one. */
function isSame(a: Pick<Thing, 'words' | 'codes'>, b: Pick<Thing, 'words' | 'codes'>): boolean {
  if ([...a.codes].some((code) => b.codes.has(code))) return true
  const [short, long] = a.words.size < b.words.size ? [a.words, b.words] : [b.words, a.words]
  return short.size > 0 && [...short].every((word) => long.has(word))
}

/** Another value of the same test, another day of the same vaccine: not what the entry says. */
function isNews(entry: Thing['fact'], fact: FoundFact): boolean {
  const group = groups[fact.type] ?? fact.type
  if (group === 'measured') return fact.value !== null && entry.value !== null && !isSameValue(entry.value, fact.value)
  const days = fact.type === 'immunization' ? [entry.date?.iso, fact.date?.iso] : []
  return days[0] !== undefined && days[1] !== undefined && !days[0].startsWith(days[1]) && !days[1].startsWith(days[0])
}

function isSameValue(a: string, b: string): boolean {
  return a === b || Number(a) === Number(b)
}
