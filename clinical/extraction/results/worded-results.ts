/**
 * Results in words: "Hepatitis C antibody  Not detected", "Rh(D) Type NEGATIVE", "Urinalysis: blood trace, nitrites neg".
 * What was looked for is then no condition of the patient, whichever the answer is.
 */
import type { FoundFact } from '../../document/found-fact.ts'
import type { Line } from '../../document/mapped.ts'
import type { Cover } from '../../document/places.ts'
import { foundDate } from '../statements/dated-context.ts'
import { trimmed, type Range, type Reading } from '../found.ts'
import { numberAt } from './numbers.ts'
import { observationNamed } from './observation-name.ts'
import { readingDate, readingFact } from './reading-fact.ts'
import { emptyValues, type RowValues } from './row-values.ts'

/** Only laboratories speak so. */
const assayed =
  '(?:not |weakly |strongly )?(?:detected|isolated)|(?:weakly |non[- ]?|strongly )?reactive|equivocal|indeterminate|(?:non[- ]?)?immune'
const answered = '(?:weak(?:ly)? |strong(?:ly)? )?(?:positive|negative)|pos|neg'
const bloodGroup = '(?:AB|A|B|O)(?:,? ?(?:Rh ?)?(?:\\(?D\\)? ?)?(?:pos(?:itive)?|neg(?:ative)?|\\+|-))?'
const isAssayed = new RegExp(`^(?:${assayed})$`, 'i')
const isAnswered = new RegExp(`^(?:${assayed}|${answered})$`, 'i')
const isBloodGroup = new RegExp(`^${bloodGroup}$`)
const endsInFinding = new RegExp(`[\\s:–-]\\s*(${assayed}|${answered}|${bloodGroup})[\\s.]*$`, 'i')
/** Words of a test's name that no sign and no complaint has. */
const testWords =
  /\b(?:PCR|NAAT?|RNA|DNA|antibod(?:y|ies)|antigen|Ab|Ag|Ig[GMAE]|serology|culture|RPR|VDRL|TPHA|CMIA|EIA|ELISA|RAT|toxin|viral load|species|spp|virus|gene)\b/i
const longestName = 60
const longestStatement = 120
const notName = /[.;?]\s|:\s|,.*,|\b(?:was|were|is|are|has|had|have|been|be|no|not|if)\b/i

export function findWordedResults(reading: Reading, taken: Cover): FoundFact[] {
  const { document, roles } = reading
  const assays = assayRows(reading)
  const rows = document.lines.flatMap((line, place) => {
    if (line.kind === 'furniture') return []
    const { slug } = roles[place]?.role ?? { slug: null }
    if (/allerg|family|medication|immunisation|vital|examination|review-of-systems/.test(slug ?? '')) return []
    const isLaboratory =
      document.documentClass === 'lab_report' || slug === 'results' || (line.table !== null && assays.has(line.table))
    return pairsIn(reading, line).flatMap(([name, value]) =>
      taken.touches(name) ? [] : wordedFact(reading, line, name, value, isLaboratory),
    )
  })
  return [...rows, ...dipsticks(reading, taken)]
}

/** Tables with at least two rows that answer as laboratories do. */
function assayRows({ document: { lines, text } }: Reading): ReadonlySet<number> {
  const counts = new Map<number, number>()
  for (const line of lines) {
    const found = line.cells.filter((cell) => isAssayed.test(text.slice(cell.start, cell.start + cell.length).trim()))
    if (line.table !== null && found.length > 0) counts.set(line.table, (counts.get(line.table) ?? 0) + found.length)
  }
  return new Set([...counts].filter(([, count]) => count >= 2).map(([table]) => table))
}

type Pair = readonly [name: Range, value: Range]

function pairsIn({ document: { text }, dates }: Reading, line: Line): Pair[] {
  const cells = line.cells.map(({ start, length }) => trimmed(text, { start, end: start + length }))
  const beside = cells.flatMap((cell, at): Pair[] => {
    const value = cells[at + 1]
    return value && isAnswered.test(words(text, value)) ? [[cell, value]] : []
  })
  if (beside.length > 0) return beside
  return (cells.length <= 2 ? [{ start: line.start, end: line.start + line.length }] : []).flatMap((range): Pair[] => {
    if (range.end - range.start > longestStatement) return []
    const dated = dates.within(range.start, range.end).at(-1)
    const end = dated && /^[\s.)]*$/.test(text.slice(dated.end, range.end)) ? dated.start : range.end
    const match = endsInFinding.exec(text.slice(range.start, end).replace(/[\s(]+$/, ''))
    if (!match?.[1]) return []
    const from = range.start + match.index
    const start = from + match[0].indexOf(match[1])
    return [[trimmed(text, { start: range.start, end: from }), { start, end: start + match[1].length }]]
  })
}

function wordedFact(reading: Reading, line: Line, name: Range, value: Range, isLaboratory: boolean): FoundFact[] {
  const { text } = reading.document
  const [printed, said] = [words(text, name), words(text, value)]
  if (printed.length > longestName || notName.test(printed) || !/\p{L}{2}/u.test(printed)) return []
  const named = observationNamed(printed)
  const observation = named?.isWhole && !(named.isAmbiguous && printed.length < 3) ? named.observation : null
  const isGroup = isBloodGroup.test(said)
  if (isGroup && observation?.concept !== 'observations:abo-blood-group') return []
  const isTest = observation !== null || testWords.test(printed)
  if (!isGroup && !isTest && !(isLaboratory && /^\p{Lu}/u.test(printed))) return []
  const own = reading.dates.within(line.start, line.start + line.length).find(({ label }) => label !== 'birth')
  const date = own ? foundDate(own, 'collected') : readingDate(reading, name, null)
  const fact = readingFact(reading, { name, observation, values: worded(text, value), date, strength: 'fair' })
  return fact ? [fact] : []
}

const dipstick =
  /^\W*(?:urinalysis|U\/?A|urine (?:dip(?:stick)?|analysis)|dip(?:stick)?(?: urine)?|ward test(?: of)? urine)\b[\s:–-]+/i
const pads =
  '(?:leu[ck]o(?:cyte)?s?(?: esterase)?|leuks?|LE|WBCs?|nitrites?|nit|blood|RBCs?|ha?emoglobin|protein|prot|glucose|gluc?|ketones?|ket|bilirubin|bili|urobilinogen|pH|SG|specific gravity)'
const padValue =
  '(?:\\+{1,4}|[1-4]\\+|trace|tr|nil|none|normal|[+-]ve|positive|negative|pos|neg|large|moderate|small|\\d(?:\\.\\d{1,3})?)'
const padRead = new RegExp(
  `^\\s*(?:and )?(?:(${pads})\\s*[:=]?\\s*(${padValue})|(${padValue})\\s+(${pads}))\\s*\\.?\\s*$`,
  'i',
)

/** Under "UA:" every pad of the stick is a result of the urine. */
function dipsticks(reading: Reading, taken: Cover): FoundFact[] {
  const { text } = reading.document
  return reading.segments.flatMap((segment) => {
    const said = text.slice(segment.start, segment.end)
    const label = dipstick.exec(said)?.[0].length
    if (label === undefined) return []
    const facts: FoundFact[] = []
    let at = segment.start + label
    for (const item of said.slice(label).split(/(?<=[,;])/)) {
      const match = padRead.exec(item.replace(/[,;]\s*$/, ''))
      const [pad, value] = [match?.[1] ?? match?.[4], match?.[2] ?? match?.[3]]
      if (match && pad !== undefined && value !== undefined) {
        const padAt = match[1] === undefined ? item.lastIndexOf(pad) : item.indexOf(pad)
        const valueAt = match[1] === undefined ? item.indexOf(value) : item.indexOf(value, padAt + pad.length)
        const name = { start: at + padAt, end: at + padAt + pad.length }
        const printed = { start: at + valueAt, end: at + valueAt + value.length }
        const named = observationNamed(`dipstick ${pad}`) ?? observationNamed(`urine ${pad}`)
        const fact = taken.touches(name)
          ? null
          : readingFact(reading, {
              name,
              observation: named?.isWhole ? named.observation : null,
              values: worded(text, printed),
              date: readingDate(reading, name, segment),
              strength: 'fair',
            })
        if (fact) facts.push(fact)
      }
      at += item.length
    }
    return facts
  })
}

function worded(text: string, { start, end }: Range): RowValues {
  const number = numberAt(text, start)
  const isNumber = number !== null && number.end === end
  const printed = text.slice(start, end).replace(/\s+/g, ' ')
  return {
    ...emptyValues(end),
    value: { start, end, printed, number: isNumber ? number.number : null, comparator: null },
  }
}

function words(text: string, { start, end }: Range): string {
  return text.slice(start, end)
}
