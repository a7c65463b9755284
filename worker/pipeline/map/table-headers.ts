/** Words that head columns in medical tables. A row made of them is a header, whatever it looks like. */
const headerWords = new Set(
  `analyte assay batch brand cat category ceased clinician code collected comment comments component condition date dates
  description details determination directions dosage dose doses drug duration end expiry facility flag flags form
  frequency given how immunisation immunization indication instructions interpretation interval item lab last limits
  location lot manufacturer measurement medication medications medicine name normal notes number onset outcome parameter
  prescribed prescriber previous problem procedure product provider purpose qty quantity range reaction reason ref
  reference refills remarks repeats result results route schedule severity sig site specialty specimen start started
  status stop stopped strength substance test tests time type unit units vaccine value vaccination when year`.split(
    /\s+/,
  ),
)
const fillers = new Set([
  'of',
  'for',
  'the',
  'and',
  'to',
  'per',
  'no',
  'in',
  'by',
  'use',
  'taken',
  'take',
  'i',
  'your',
  'this',
  'last',
  'my',
])

/** Every cell of at least two is words from the list above, and no cell holds a number of its own. */
export function looksLikeHeader(cells: readonly string[]): boolean {
  const filled = cells.filter((cell) => cell !== '')
  if (filled.length < 2) return false
  const known = filled.filter(isHeaderCell).length
  return known >= 2 && known >= 0.6 * filled.length && filled.every((cell) => !/^[<>]?\d+([.,]\d+)?$/.test(cell))
}

export function isHeaderCell(cell: string): boolean {
  const words = cell.toLowerCase().match(/\p{L}+/gu) ?? []
  const content = words.filter((word) => !fillers.has(word))
  return (
    content.length > 0 && content.length <= 4 && content.some((word) => headerWords.has(word)) && !/[:]\s*\S/.test(cell)
  )
}

const day =
  /^[^\p{L}\d]?(?:\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4}|\d{1,2}[ -]?\p{L}{3,9}\.?[ -]?\d{2,4}|\p{L}{3} \d{1,2},? \d{4})\b/u
const hour = /^\d{1,2}:\d\d(?: ?[ap]m)?$/i
const numbered = /^(?:lab|request|episode|specimen|accession|sample|report|order)\s*(?:no|number|id|ref|#)/i

/**
 * The head of a cumulative report: days, hours or numbers of specimens over the columns. A row of a vaccine with the days
 * of its doses looks the same but for its first cell.
 */
export function headsDates(first: string | null, others: readonly string[]): boolean {
  if (others.length === 0) return false
  if (first !== null && numbered.test(first)) return others.every((cell) => /\d/.test(cell) || isHeaderCell(cell))
  const isLabel = first === null || isHeaderCell(first) || day.test(first)
  const dated = others.filter((cell) => day.test(cell) || hour.test(cell)).length
  const known = others.filter((cell) => day.test(cell) || hour.test(cell) || isHeaderCell(cell))
  // Of several heads one may have been misread, or cut off; where one is, two days must be left to tell.
  const isMostly = dated >= 2 && others.length - known.length === 1 && !others.some((cell) => measured.test(cell))
  return isLabel && (known.length === others.length || isMostly) && dated >= 1 && others.length >= 2
}

/** A number that is no year. */
const measured = /^[<>]?(?!(?:19|20)\d\d$)\d+(?:[.,]\d+)?(?: ?[HL*])?$/
