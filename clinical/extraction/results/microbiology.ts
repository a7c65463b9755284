/**
 * Cultures: what grew is a result in words; what kills it in the laboratory is neither a medicine of the patient nor an
 * allergy, though "sensitive to amoxicillin" and a heading "Sensitivities" read like one.
 */
import type { FoundFact } from '../../document/found-fact.ts'
import { coverOf, type Cover } from '../../document/places.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import { foundFact, trimmed, type Range, type Reading } from '../found.ts'
import { observationNamed } from './observation-name.ts'
import { readingDate } from './reading-fact.ts'
import type { Segment } from '../statements/segments.ts'

const organism =
  '(?:(?:Escherichia|Staphylococcus|Streptococcus|Klebsiella|Pseudomonas|Enterococcus|Proteus|Enterobacter|Candida|Ha?emophilus|Moraxella|Serratia|Acinetobacter|Salmonella|Campylobacter|Shigella|Clostridi(?:um|oides)|Bacteroides|Neisseria|Listeria|Citrobacter|Morganella|Aspergillus|Legionella|Stenotrophomonas|Burkholderia|Cryptococcus|Helicobacter|Mycobacterium|Corynebacterium|Actinomyces|Pasteurella|Gardnerella|Ureaplasma|Trichomonas)(?: (?:spp?\\.?|(?!(?:growth|sensitive|resistant|isolated|with|from|grown|also|count|which|species|culture|infection|bacteraemia|bacteremia|sepsis)\\b)\\p{Ll}{4,}|species))?|(?:E|K|P|S|C|H|B|N|M|A)\\. ?(?:coli|aureus|pneumoniae|pyogenes|aeruginosa|mirabilis|epidermidis|agalactiae|saprophyticus|faecalis|faecium|cloacae|albicans|influenzae|difficile|fragilis|catarrhalis|jejuni|oxytoca|viridans|lugdunensis)|(?:MRSA|MSSA|VRE)|(?:group [ABCG] )(?:beta-?ha?emolytic )?strep\\w*|coagulase[- ]negative staph\\w*|coliforms?)'
const count =
  '(?:[<>≥≤]?\\s?\\d[\\d,.]*(?:\\s?[x×]\\s?10)?(?:\\s?[\\^*]\\s?\\d+)?(?:\\s?(?:-|to)\\s?\\d[\\d,.]*(?:\\^\\d+)?)?\\s?(?:CFU|colonies|orgs?|organisms)(?:\\s?/\\s?m?L)?)'
const growth =
  '(?:(?:(?:heavy|moderate|light|scant[y]?|profuse|pure|predominant|mixed|few|\\d?\\+{1,4}) )+(?:growth(?: of)?|colonies(?: of)?)?)'
const noGrowth =
  '(?:negative|no (?:significant |bacterial |aerobic |anaerobic |further )*growth|no (?:pathogens?|organisms?|bacteria)(?: (?:isolated|grown|detected|seen))?|sterile|(?:mixed|normal|usual) (?:skin |urogenital |perineal |upper respiratory(?: tract)? |oral |faecal |enteric |vaginal )*(?:flora|growth|organisms))(?: (?:at|after|to|x|in) (?:date|\\d+ ?(?:h(?:ou)?rs?|days?)))?'
const grown = new RegExp(
  `^(?:${noGrowth}|(?:${count}(?: of)? |${growth} |growth of )*${organism}(?:[ ,(]+(?:${count}|${growth}))?)`,
  'iu',
)
const cultureName =
  /(?<!blood agar )\b(?:(?:(?:mid-?stream |catheter )?urine|blood|wound|sputum|throat|stool|fa?ecal|faeces|CSF|swab|tissue|fluid|bone|joint|line tip|nasal|groin|ulcer|MSU|CSU|MSSU)(?: swab| fluid| specimen)? (?:cultures?|M\/?C&?\/?S)|cultures?|MSU|CSU)\b/giu
const leadsIn =
  /^[\s:\t–-]*(?:x ?\d\b[\s:–-]*)?(?:\([^)\n]{0,40}\)[\s:–-]*)?(?:(?:is|was|were|has|have|results?|also|subsequently|returned|came back|positive|with|for|show(?:s|ed|ing)?|gr[eo]w(?:n|s|ing)?|yield(?:s|ed)|isolated|an?|(?:on |from |of )?(?:\d{1,2}[/.-]){2}\d{2,4}|(?:on |from |of )?\d{1,2} \p{L}{3,9} \d{4})[\s:]*){0,5}/iu
const context = new RegExp(
  `${organism}|\\b(?:CFU|isolates?|isolated|organisms?|cultures?|M\\/?C&?S|growth|microbiology|antibiogram)\\b`,
  'iu',
)
const saysOfGerm =
  /\b(?:(?:sensitive|resistant|susceptible|intermediate|non-?susceptible|sensitivit(?:y|ies)|resistance|susceptibilit(?:y|ies))(?: (?:to|of|pattern|testing|results?))?)\b/i
const saysOfGerms = new RegExp(saysOfGerm.source, 'gi')
const testRow =
  /^\s*\p{L}[\p{L}\s/()+-]{3,40}?[\s:\t]+(?:[<>≤≥]?=?\s?\d[\d./]*[\s\t]+)?(?:S|R|I|SDD|sensitive|resistant|susceptible|intermediate)(?:[\s\t]+[<>≤≥]?=?\s?\d[\d./]*)?\s*$/iu
const ofPatient = /\b(?:patient|he|she|allerg\w*|reaction|rash|anaphyla\w*|intoleran\w*)\b/i
const treatment =
  /\b(?:start(?:ed)?|commenced?|given|treat(?:ed|ment)|switched|changed|prescribed|discharged|completed|received|therefore|so|plan|continue[ds]?)\b|\.\s/i

export type Microbiology = {
  readonly facts: FoundFact[]
  /** Words that say what a germ is sensitive or resistant to. */
  readonly antibiogram: Cover
}

export function findMicrobiology(reading: Reading, taken: Cover): Microbiology {
  const texts = reading.segments.filter((segment) => segment.kind !== 'heading')
  const stated = texts.flatMap((segment) => statedCultures(reading, segment, taken))
  // "Culture: heavy growth of Staphylococcus aureus", and below "Organism 1: Staphylococcus aureus".
  const headed = texts
    .flatMap((segment) => headedCulture(reading, segment, taken))
    .filter(({ value }) => !stated.some((other) => value !== null && other.value?.endsWith(value)))
  return { facts: [...stated, ...headed], antibiogram: coverOf([...testedRows(reading), ...testedSentences(reading)]) }
}

function statedCultures(reading: Reading, segment: Segment, taken: Cover): FoundFact[] {
  const text = reading.document.text.slice(segment.start, segment.end)
  return Array.from(text.matchAll(cultureName)).flatMap((match) => {
    const start = segment.start + match.index
    return cultureFact(reading, segment, { start, end: start + match[0].length }, taken)
  })
}

function cultureFact(reading: Reading, segment: Segment, name: Range, taken: Cover): FoundFact[] {
  const { text } = reading.document
  const rest = text.slice(name.end, segment.end)
  const lead = leadsIn.exec(rest)?.[0].length ?? 0
  const value = grown.exec(rest.slice(lead))?.[0]
  if (value === undefined || lead === 0 || taken.touches(name)) return []
  return resultFact(reading, segment, name, { start: name.end + lead, end: name.end + lead + value.length })
}

const label = /^\s*(?:organism|isolate)s?(?: (?:identified|isolated))?(?: (?:no\.? ?)?\d)?\s*[:\t]\s*/i
const heading = /\b(?:cultures?|M\/?C&?S)(?:, \p{L}+)?\s*:?\s*$/iu
const linesToHeading = 6

/** Under a line "Culture" stands what grew, at once or behind "Organism:". */
function headedCulture(reading: Reading, segment: Segment, taken: Cover): FoundFact[] {
  const { lines, text } = reading.document
  const said = text.slice(segment.start, segment.end)
  const labelled = label.exec(said)?.[0].length ?? 0
  const value = grown.exec(said.slice(labelled))?.[0]
  if (value === undefined || said.search(cultureName) >= 0 || taken.touches(segment)) return []
  const above = lines
    .slice(Math.max(0, segment.firstLine - (labelled > 0 ? linesToHeading : 1)), segment.firstLine)
    .findLast((line) => line.length <= 50 && heading.test(text.slice(line.start, line.start + line.length)))
  if (above === undefined) return []
  const name = trimmed(text, { start: above.start, end: above.start + above.length })
  const start = segment.start + labelled
  return resultFact(reading, segment, name, { start, end: start + value.length })
}

function resultFact(reading: Reading, segment: Segment, name: Range, printed: Range): FoundFact[] {
  const { text } = reading.document
  const value = trimmed(text, printed)
  const at = {
    from: segment.tokens.findIndex((token) => token.end > value.start),
    to: segment.tokens.filter((token) => token.start < value.end).length,
  }
  const { status } = assertionOf(segment.tokens, findCues(segment.tokens), at)
  if (status === 'hypothetical' || status === 'family' || status === 'other') return []
  return [
    foundFact(reading.document, {
      type: 'lab_result',
      name,
      value: text.slice(value.start, value.end).replace(/\s+/g, ' '),
      date: readingDate(reading, name, segment),
      parts: [['value', value]],
      concept: observationNamed(text.slice(name.start, name.end))?.observation.concept ?? null,
      strength: 'fair',
    }),
  ]
}

const linesOfContext = 15

/** "Amoxicillin  R" below a culture: a row of the laboratory's test of the germ. */
function testedRows({ document }: Reading): Range[] {
  let lastContext = Number.NEGATIVE_INFINITY
  return document.lines.flatMap((line, place) => {
    const text = document.text.slice(line.start, line.start + line.length)
    const isRow = testRow.test(text)
    if (!isRow && context.test(text)) lastContext = place
    // A long antibiogram carries its context with it.
    if (!isRow || place - lastContext > linesOfContext) return []
    lastContext = Math.max(lastContext, place - linesOfContext + 1)
    return [{ start: line.start, end: line.start + line.length }]
  })
}

/** From "sensitive to" to where the sentence speaks of what was done about it. */
function testedSentences(reading: Reading): Range[] {
  const { document, segments } = reading
  return segments.flatMap((segment, place) => {
    const said = document.text.slice(segment.start, segment.end)
    if (!saysOfGerm.test(said) || ofPatient.test(said)) return []
    const above = segments.slice(Math.max(0, place - 3), place).filter((other) => isNear(other, segment))
    const near = [...above, segment].map((other) => document.text.slice(other.start, other.end)).join('\n')
    if (!context.test(near)) return []
    return Array.from(said.matchAll(saysOfGerms), (match) => {
      const rest = said.slice(match.index + match[0].length)
      const end = treatment.exec(rest)?.index ?? rest.length
      return {
        start: segment.start + match.index,
        end: segment.start + match.index + match[0].length + end,
      }
    })
  })
}

const isNear = (above: Segment, segment: Segment) => segment.firstLine - above.endLine <= 3
