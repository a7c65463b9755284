/** Narrative of FHIR: a little HTML. */
import { readHtml } from '../html-blocks.ts'
import { printed, type FlowBlock } from '../flow.ts'
import { textAt } from './json.ts'

export function narrativeOf(text: unknown): FlowBlock[] {
  const status = textAt(text, 'status')
  const div = textAt(text, 'div')
  return div === '' || status === 'empty' ? [] : readHtml(div)
}

/** True if a good part of its words stands nowhere in what was printed of the data. */
export function saysMore(text: unknown, blocks: readonly FlowBlock[], said: string): boolean {
  if (blocks.length === 0) return false
  // What was generated from the data is the data.
  if (textAt(text, 'status') === 'generated' && said.length > 4) return false
  const known = new Set(wordsIn(said))
  const words = [...new Set(wordsIn(blocks.map(textOf).join(' ')))]
  const added = words.filter((word) => !known.has(word))
  return added.length > 6 && added.length > 0.3 * words.length
}

const wordsIn = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []

function textOf(block: FlowBlock): string {
  if (block.kind === 'page break') return ''
  if (block.kind === 'preformatted') return block.text
  return block.kind === 'table' ? block.rows.flat().map(printed).join(' ') : printed(block.runs)
}
