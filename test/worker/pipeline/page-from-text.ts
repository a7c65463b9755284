import type { Page, Word } from '../../../clinical/document/page.ts'

const columns = 100
const rows = 66

/** A page set in a typewriter face: each printed character stands where it stands in the text. `**x**` is bold. */
export function pageFromText(text: string, changes: Partial<Page> = {}): Page {
  return {
    number: 1,
    widthPt: 600,
    heightPt: 792,
    rotation: 0,
    source: 'text_layer',
    engine: 'test',
    quality: { grade: 'good', reason: null },
    words: text.split('\n').flatMap(wordsOfLine),
    ...changes,
  }
}

function wordsOfLine(marked: string, row: number): Word[] {
  const bold = [...marked.matchAll(/\*\*(\S+?)\*\*/g)].map((match, index) => match.index - index * 4)
  return [...marked.replaceAll('**', '').matchAll(/\S+/g)].map((match) => {
    const left = (match.index + 2) / columns
    const top = (row + 2) / rows
    return {
      text: match[0],
      confidence01: 0.95,
      box: [left, top, left + match[0].length / columns, top + 0.6 / rows],
      line: row,
      block: 0,
      isBold: bold.includes(match.index),
    }
  })
}
