import type { OcrWord } from './provider.ts'

const wordLevel = '5'

/** Words of tesseract's table output: level, page, block, paragraph, line, word, left, top, width, height, conf, text. */
export function wordsOfTsv(tsv: string): OcrWord[] {
  const lines = new Map<string, number>()
  return tsv.split('\n').flatMap((row) => {
    const [level, , block, paragraph, line, , left, top, width, height, confidence, ...text] = row.split('\t')
    const printed = text.join('\t').trim()
    if (level !== wordLevel || printed === '') return []
    const key = `${block}/${paragraph}/${line}`
    const number = lines.get(key) ?? lines.size
    lines.set(key, number)
    const [x, y] = [Number(left), Number(top)]
    return [
      {
        text: printed,
        confidence01: Math.min(1, Math.max(0, Number(confidence) / 100)),
        box: [x, y, x + Number(width), y + Number(height)] as const,
        line: number,
        block: Number(block),
      },
    ]
  })
}
