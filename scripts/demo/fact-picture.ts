import sharp from 'sharp'
import type { Fact } from '../../client/index.ts'

const colours: Readonly<Record<string, string>> = {
  medication: '#1f77b4',
  lab_result: '#2ca02c',
  vital_sign: '#17becf',
  condition: '#d62728',
  allergy: '#e377c2',
  immunization: '#9467bd',
  procedure: '#ff7f0e',
  encounter: '#8c564b',
  identity: '#7f7f7f',
}
const otherColour = '#bcbd22'

/** The page with a box around the words of every fact on it, and a legend of the types that occur. Answers a PNG. */
export async function drawFacts(pagePng: Buffer, facts: readonly Fact[], page: number): Promise<Buffer> {
  const { width, height } = await sharp(pagePng).metadata()
  const boxes = facts.flatMap((fact) =>
    fact.sources
      .filter((source) => source.page === page)
      .map(({ box: [x0 = 0, y0 = 0, x1 = 1, y1 = 1] }) => {
        const colour = colours[fact.type] ?? otherColour
        const dash = fact.status === 'present' ? '' : ' stroke-dasharray="6 4"'
        const place = `x="${x0 * width - 2}" y="${y0 * height - 2}" width="${(x1 - x0) * width + 4}" height="${(y1 - y0) * height + 4}"`
        return `<rect ${place} fill="${colour}" fill-opacity="0.14" stroke="${colour}" stroke-width="2"${dash}/>`
      }),
  )
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${boxes.join('')}${legend(facts, width)}</svg>`
  return sharp(pagePng)
    .composite([{ input: Buffer.from(overlay) }])
    .png()
    .toBuffer()
}

function legend(facts: readonly Fact[], width: number): string {
  const types = [...new Set(facts.map((fact) => fact.type))].toSorted()
  const [left, lineHeight] = [width - 190, 20]
  const rows = types.map((type, index) => {
    const y = 12 + index * lineHeight
    const colour = colours[type] ?? otherColour
    return `<rect x="${left}" y="${y}" width="12" height="12" fill="${colour}"/><text x="${left + 20}" y="${y + 11}" font-family="sans-serif" font-size="13">${type.replace('_', ' ')}</text>`
  })
  const frame = `<rect x="${left - 8}" y="4" width="190" height="${types.length * lineHeight + 10}" fill="white" fill-opacity="0.85" stroke="#999"/>`
  return frame + rows.join('')
}
