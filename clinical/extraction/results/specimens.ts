/** Which specimen and panel the lines of a report stand under, as its headings and labels say. */
import type { Line, MappedDocument } from '../../document/mapped.ts'
import { specimenIn, type Specimen } from '../../terminology/specimens.ts'
import { observationNamed } from './observation-name.ts'

export type UnderHeading = {
  readonly specimen: Specimen | null
  /** As printed. */
  readonly panel: string | null
}

const label = /^(?:specimen|sample)(?: (?:type|source|site))?\s*[:\t]\s*(.+)$/i
const longestTitle = 60

/** One for each line. A title holds to the next title; "Specimen: urine" to the next label of its kind. */
export function readSpecimens(document: MappedDocument): UnderHeading[] {
  let labelled: Specimen | null = null
  let title: UnderHeading = { specimen: null, panel: null }
  return document.lines.map((line) => {
    const text = document.text.slice(line.start, line.start + line.length).trim()
    const stated = label.exec(text)
    if (stated !== null) labelled = specimenIn(stated[1] ?? '')
    else if (isTitle(line, text)) title = { specimen: specimenIn(text), panel: text.replace(/\s*:$/, '') }
    return { specimen: title.specimen ?? labelled, panel: title.panel }
  })
}

/** "URINE MICROSCOPY" above a table; a row whose value is missing ("Blood") is none. */
function isTitle(line: Line, text: string): boolean {
  if (line.kind === 'furniture' || line.cells.length > 1 || text.length > longestTitle || /\d/.test(text)) return false
  if (line.kind === 'heading') return true
  const isShort = /^\p{Lu}[\p{L}\s,&/()'-]*:?$/u.test(text) && text.split(/\s+/).length <= 6
  return (
    isShort && (line.kind === 'table_row' || text === text.toUpperCase()) && observationNamed(text)?.isWhole !== true
  )
}
