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
