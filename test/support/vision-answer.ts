/** Answers as Vision gives them, made from words where they would lie on an upright page. */

type Box = readonly [left: number, top: number, right: number, bottom: number]
type Turn = 0 | 90 | 180 | 270
export type Break = 'SPACE' | 'SURE_SPACE' | 'EOL_SURE_SPACE' | 'HYPHEN' | 'LINE_BREAK' | null

export type MadeWord = {
  readonly text: string
  readonly box: Box
  readonly broken: Break
  readonly confidence?: number
}
/** One of Vision's paragraphs each. */
export type MadeBlock = readonly (readonly MadeWord[])[]
/** As it was before the picture was turned clockwise. */
export type MadePage = { readonly width: number; readonly height: number; readonly turned: Turn }

export function word(text: string, box: Box, broken: Break, confidence = 0.97): MadeWord {
  return { text, box, broken, confidence }
}

const usual: MadePage = { width: 800, height: 1000, turned: 0 }

export function madeResponse(blocks: readonly MadeBlock[], page: MadePage = usual) {
  return {
    fullTextAnnotation: {
      text: '',
      pages: [
        {
          width: page.turned % 180 === 0 ? page.width : page.height,
          height: page.turned % 180 === 0 ? page.height : page.width,
          blocks: blocks.map((paragraphs) => ({
            blockType: 'TEXT',
            paragraphs: paragraphs.map((words) => ({ words: words.map((each) => madeWord(each, page)) })),
          })),
        },
      ],
    },
  }
}

/** Coordinates of 0 are left out; corners begin at the top left of the text, whichever way the picture was turned. */
function madeWord({ text, box, broken, confidence = 0.97 }: MadeWord, page: MadePage) {
  const symbols = Array.from(text)
  return {
    confidence,
    boundingBox: { vertices: cornersOf(box).map((corner) => withoutZeros(turned(corner, page))) },
    symbols: symbols.map((symbol, index) => ({
      text: symbol,
      ...(broken !== null && index === symbols.length - 1 ? { property: { detectedBreak: { type: broken } } } : {}),
    })),
  }
}

type Corner = { readonly x: number; readonly y: number }

function cornersOf([left, top, right, bottom]: Box): Corner[] {
  return [
    { x: left, y: top },
    { x: right, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
  ]
}

function turned({ x, y }: Corner, page: MadePage): Corner {
  if (page.turned === 0) return { x, y }
  if (page.turned === 90) return { x: page.height - y, y: x }
  if (page.turned === 180) return { x: page.width - x, y: page.height - y }
  return { x: y, y: page.width - x }
}

function withoutZeros({ x, y }: Corner) {
  return { ...(x === 0 ? {} : { x }), ...(y === 0 ? {} : { y }) }
}

/** Words of 10 pixels a letter and 20 high, one space apart. */
export function line(text: string, left: number, top: number, ending: Break = 'LINE_BREAK'): MadeWord[] {
  const words = text.split(' ')
  let x = left
  return words.map((each, index) => {
    const box: Box = [x, top, x + 10 * each.length, top + 20]
    x += 10 * (each.length + 1)
    return word(each, box, index === words.length - 1 ? ending : 'SPACE')
  })
}
