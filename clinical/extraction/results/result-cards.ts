/** Results set as cards, as patients' portals print them: a name on its own line, and value, unit, flag and range below it. */
import type { FoundFact } from '../../document/found-fact.ts'
import type { Box } from '../../document/page.ts'
import { firstNotBefore, type Cover } from '../../document/places.ts'
import { unitOf } from '../../terminology/units.ts'
import { foundDate } from '../statements/dated-context.ts'
import type { Range, Reading } from '../found.ts'
import { rangeAt } from './numbers.ts'
import { observationNamed } from './observation-name.ts'
import { readingDate, readingFact } from './reading-fact.ts'
import { unitInName } from './result-headings.ts'
import { emptyValues, readValues, type RowValues } from './row-values.ts'
import { readPressure, readShape } from './vital-shapes.ts'

/** Words on one base line with no column gap between them. */
type Phrase = Range & { readonly page: number; readonly box: Box; readonly text: string }

const mostLines = 4
const aligned = 0.02
/** In heights of the name's line. */
const widestGap = 3
const longestName = 60

const valueLabel = /^(?:your (?:value|results?|level)|results?|value|latest(?: (?:value|result))?|measured)\s*[:=]?\s*/i
const rangeLabel =
  /^(?:(?:normal|standard|reference|ref\.?|expected|healthy) (?:range|interval|values?|limits)|range)\s*[:=]?\s*/i
const flagAlone =
  /^(?:[▲▼↑↓*]\s*)?(?:high|low|normal|abnormal|above (?:normal|range)|below (?:normal|range)|in range|out of range)?$/i
const finding = /^(?:not detected|detected|(?:non[- ]?)?reactive|positive|negative|equivocal|indeterminate)$/i

export function findCardResults(reading: Reading, taken: Cover): FoundFact[] {
  const byPage = Map.groupBy(phrasesOf(reading), ({ page }) => page)
  return [...byPage.values()].flatMap((phrases) => cardsOf(reading, taken, phrases))
}

function cardsOf(reading: Reading, taken: Cover, phrases: readonly Phrase[]): FoundFact[] {
  const downwards = phrases.toSorted((a, b) => a.box[1] - b.box[1])
  return phrases.flatMap((phrase) => {
    const name = taken.touches(phrase) ? null : cardName(phrase)
    if (!name) return []
    const card = readCard(reading, name.concept, below(downwards, phrase), taken)
    if (!card.values.value || (!name.isKnown && !(card.isRanged && (card.values.unit || card.values.range)))) return []
    const values = { ...card.values, unit: card.values.unit ?? name.unit }
    const range = { start: name.start, end: name.end }
    const date = card.date ?? readingDate(reading, range, null)
    const strength = name.isKnown ? 'strong' : 'weak'
    const fact = readingFact(reading, { name: range, observation: name.observation, values, date, strength })
    return fact ? [fact] : []
  })
}

function cardName(phrase: Phrase) {
  if (phrase.text.length > longestName || !/^\p{L}/u.test(phrase.text) || /[.!?]$|:\s*\S/.test(phrase.text)) return null
  const { nameLength, unit } = unitInName(phrase.text.replace(/\s*:$/, ''))
  const named = observationNamed(phrase.text.slice(0, nameLength))
  const known = named?.isWhole && !(named.isAmbiguous && nameLength < 3) ? named.observation : null
  const at = unit && { start: phrase.start + unit.from, end: phrase.start + unit.to }
  const printed = unit ? phrase.text.slice(unit.from, unit.to) : ''
  const meant = unitOf(printed)
  return {
    start: phrase.start,
    end: phrase.start + nameLength,
    observation: known,
    concept: known?.concept ?? '',
    isKnown: known !== null,
    unit: at && meant ? { ...at, printed, unit: meant } : null,
  }
}

function readCard(reading: Reading, concept: string, lines: readonly Phrase[], taken: Cover) {
  const values = emptyValues(0)
  let date: ReturnType<typeof foundDate> | null = null
  let isRanged = false
  for (const line of lines) {
    const own = reading.dates.within(line.start, line.end)[0]
    const labelled = rangeLabel.exec(line.text)?.[0].length ?? 0
    const unit = unitOf(line.text)
    if (taken.touches(line)) break
    if (labelled > 0) {
      isRanged = true
      values.range ??= rangeAt(reading.document.text, line.start + labelled)
      values.unit ??= readValues(reading.document.text, line.start + labelled, line.end, []).unit
    } else if (values.value === null) {
      const read = valueIn(reading, line, concept)
      if (!read) break
      values.value = read.value
      values.unit = read.unit ?? values.unit
      values.flag = read.flag
      values.range ??= read.range
    } else if (valueIn(reading, line, concept)) {
      // A second value below the first: this is a column of a table, not a card.
      values.value = null
      break
    } else if (unit) values.unit = { start: line.start, end: line.end, printed: line.text, unit }
    else if (own && own.printed.length >= 0.5 * line.text.length) date ??= foundDate(own, 'collected')
    else if (!flagAlone.test(line.text)) break
  }
  return { values, date, isRanged }
}

/** The phrase must be nothing but a value with what belongs to one. */
function valueIn(reading: Reading, phrase: Phrase, concept: string): RowValues | null {
  const { text } = reading.document
  const from = phrase.start + (valueLabel.exec(phrase.text)?.[0].length ?? 0)
  if (finding.test(text.slice(from, phrase.end)))
    return {
      ...emptyValues(phrase.end),
      value: { start: from, end: phrase.end, printed: text.slice(from, phrase.end), number: null, comparator: null },
    }
  const dates = reading.dates.within(from, phrase.end)
  const shaped =
    readShape(text, from, phrase.end, concept) ??
    (concept === 'observations:blood-pressure-panel' ? readPressure(text, from, phrase.end) : null)
  const values = shaped ?? readValues(text, from, phrase.end, dates)
  if (!values.value || (values.value.number === null && !shaped)) return null
  const parts = [values.value, values.unit, values.flag, values.range, ...dates].filter((part) => part !== null)
  const rest = Array.from(text.slice(from, phrase.end)).filter(
    (_, at) => !parts.some((part) => part.start <= from + at && from + at < part.end),
  )
  return /^[^\p{L}\p{N}]*(?:high|low|normal|abnormal)?[^\p{L}\p{N}]*$/iu.test(rest.join('')) ? values : null
}

/** What stands under a phrase, flush or centred with it, line by line without a large gap. */
function below(downwards: readonly Phrase[], name: Phrase): Phrase[] {
  const height = name.box[3] - name.box[1]
  const found: Phrase[] = []
  const first = firstNotBefore(downwards, ({ box }) => box[1] < name.box[1] + 0.5 * height)
  for (const other of downwards.slice(first)) {
    if (found.length >= mostLines || other.box[1] - (found.at(-1) ?? name).box[3] > widestGap * height) return found
    if (isFlush(other, name)) found.push(other)
  }
  return found
}

function isFlush(a: Phrase, b: Phrase): boolean {
  const middle = ({ box }: Phrase) => (box[0] + box[2]) / 2
  return Math.abs(a.box[0] - b.box[0]) <= aligned || Math.abs(middle(a) - middle(b)) <= aligned
}

function phrasesOf({ document: { lines, words, text } }: Reading): Phrase[] {
  return lines.flatMap((line) => {
    if (line.kind === 'furniture') return []
    let at = 0
    return line.cells.flatMap((cell) => {
      const phrases: Omit<Phrase, 'text'>[] = []
      for (; at < line.words.length; at += 1) {
        const word = words[line.words[at] ?? 0]
        if (!word || word.start >= cell.start + cell.length) break
        const { start, length, box } = word
        const last = phrases.at(-1)
        if (last && isOnLine(last.box, box)) {
          const joined: Box = [last.box[0], Math.min(last.box[1], box[1]), box[2], Math.max(last.box[3], box[3])]
          phrases[phrases.length - 1] = { ...last, end: start + length, box: joined }
        } else phrases.push({ start, end: start + length, page: line.page, box })
      }
      return phrases
        .filter(({ start, end }) => end - start <= longestName)
        .map((phrase) => ({ ...phrase, text: text.slice(phrase.start, phrase.end) }))
    })
  })
}

/** Two lines of one column that a taller neighbour drew together are still two. */
function isOnLine(a: Box, b: Box): boolean {
  const overlap = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  return overlap >= 0.4 * Math.min(a[3] - a[1], b[3] - b[1]) && b[0] >= a[2] - 0.005
}
