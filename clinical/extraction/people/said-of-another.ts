/**
 * What is said of somebody who stands beside the patient: under a label of their own ("Partner's results: …"), or by the name
 * that they were introduced with ("together with her partner Jonas. … Jonas takes fluvoxamine").
 */
import { conditionLexicon, medicineLexicon, procedureLexicon } from '../../terminology/concepts.ts'
import { findTerms } from '../../terminology/lexicon.ts'
import { once, readTable } from '../../terminology/read-table.ts'
import { tokenise } from '../../terminology/tokens.ts'
import type { Range, Reading } from '../found.ts'

export function saidOfAnother(reading: Reading): Range[] {
  return [...underTheirLabels(reading), ...byTheirNames(reading)]
}

/** Who shares no family history with the patient: what stands under their label is nobody's business here. */
const theirLabel =
  /^\W{0,3}(?:the )?(?:(?:partner|husband|wife|spouse|boyfriend|girlfriend|fianc[eé]e?|(?:egg|sperm|blood|organ|kidney|marrow)?\s?donor|recipient|surrogate|carer|pet|dog|cat)['’]s?\s+(?:[\p{L}-]+ ){0,3}?(?:results?|bloods?|tests?|details|history|investigations?|screen(?:ing)?|serology|semen analysis|medic(?:ation|ine)s?|allergies|conditions|health|information|records?)\b|(?:partner|husband|wife|spouse|donor|recipient|surrogate)\s+(?:results?|bloods?|details|investigations?|screen(?:ing)?|serology)\b)/iu

/** A heading holds to the next one; a label to the next label, over its own paragraph. */
function underTheirLabels({ document: { lines, text }, roles }: Reading): Range[] {
  return lines.flatMap((line, place) => {
    const printed = text.slice(line.start, line.start + line.length)
    if (!theirLabel.test(printed)) return []
    const isHeading = roles[place]?.isHeading === true || line.kind === 'heading'
    if (!isHeading && !/^[^:\n]{3,60}:/.test(printed)) return []
    const next = lines.findIndex(
      (each, at) =>
        at > place &&
        (roles[at]?.isHeading === true ||
          each.kind === 'heading' ||
          (!isHeading && (each.page !== line.page || !goesOn.test(text.slice(each.start, each.start + each.length))))),
    )
    const last = lines[(next === -1 ? lines.length : next) - 1] ?? line
    return [{ start: line.start, end: last.start + last.length }]
  })
}

/** A line that cannot begin anything new. */
const goesOn = /^\W*\p{Ll}/u

function byTheirNames({ document: { text }, segments }: Reading): Range[] {
  const names = introducedNames(text)
  if (names.size === 0) return []
  return segments.flatMap(({ kind, start, end, tokens }) => {
    const [first] = tokens
    if (kind === 'heading' || first === undefined || !names.has(first.text.replace(/['’]s$/, ''))) return []
    const back = /\b(?:and|but|while|whereas|,|;)\s+(?:he|she|his|her|the patient|mr|mrs|ms)\b/i.exec(
      text.slice(start, end),
    )
    return [{ start, end: back === null ? end : start + back.index }]
  })
}

/** "Her partner Jonas", "his carer, Maria": whoever is introduced by whose they are. */
function introducedNames(text: string): Set<string> {
  const names = Array.from(text.matchAll(introduction()), ([, name = '']) => name)
  return new Set(names.filter((name) => !isClinical(name) && !isOfPatient(text, name)))
}

const introduction = once(() => {
  const rows = readTable('context_cues', ['cue', 'category'])
  const people = rows.filter(
    ({ cue, category }) => /^(?:family|other-subject)$/.test(category) && /^[a-z-]+$/.test(cue),
  )
  const words = people.map(({ cue }) => cue).join('|')
  return new RegExp(
    `\\b(?:[Hh]is|[Hh]er|[Tt]heir|[Mm]y|patient['’]s) (?:[a-z-]+ )?(?:${words}),? (\\p{Lu}\\p{Ll}{2,})\\b`,
    'gu',
  )
})

function isClinical(name: string): boolean {
  const tokens = tokenise(name)
  return [conditionLexicon(), medicineLexicon(), procedureLexicon()].some(
    (lexicon) => findTerms(lexicon, tokens, 'any').length > 0,
  )
}

/** A namesake of the patient cannot be told from them. */
function isOfPatient(text: string, name: string): boolean {
  return new RegExp(`(?:patient|name|re|client|resident|regarding)\\b[^\\n]{0,60}\\b${name}\\b`, 'iu').test(text)
}
