export type PrintedLine = {
  readonly text: string
  /** Points from the left and from the bottom. */
  readonly x: number
  readonly y: number
  readonly size?: number
  readonly font?: 'plain' | 'bold'
  /** 3 draws nothing, as hidden text layers do. */
  readonly renderMode?: number
  /** Put before the text: "1 g" makes it white, "6 Tc" sets its letters apart. */
  readonly operators?: string
}

export type PdfExtras = {
  /** Objects to add, by number from 100 on, and entries of the catalogue that use them. */
  readonly objects?: Readonly<Record<number, string>>
  readonly catalogue?: string
  readonly pageEntries?: string
  /** Drawn over the lines of each page. */
  readonly drawnOver?: string
}

/** A small PDF with one page for each list of lines; Helvetica needs no font file. */
export function pdfOfLines(pages: readonly (readonly PrintedLine[])[], extras: PdfExtras = {}): Buffer {
  const objects = new Map<number, string>()
  const kids = pages.map((_, index) => `${10 + index * 2} 0 R`).join(' ')
  objects.set(1, `<< /Type /Catalog /Pages 2 0 R ${extras.catalogue ?? ''} >>`)
  objects.set(2, `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`)
  objects.set(3, font('Helvetica'))
  objects.set(4, font('Helvetica-Bold'))
  pages.forEach((lines, index) => {
    const content = [...lines.map(drawing), extras.drawnOver ?? ''].join('\n')
    objects.set(
      10 + index * 2,
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${11 + index * 2} 0 R
/Resources << /Font << /plain 3 0 R /bold 4 0 R >> >> ${extras.pageEntries ?? ''} >>`,
    )
    objects.set(11 + index * 2, `<< /Length ${content.length} >>\nstream\n${content}\nendstream`)
  })
  for (const [number, body] of Object.entries(extras.objects ?? {})) objects.set(Number(number), body)
  return assemble(objects)
}

function font(name: string): string {
  return `<< /Type /Font /Subtype /Type1 /BaseFont /${name} /Encoding /WinAnsiEncoding >>`
}

function drawing({ text, x, y, size = 11, font: face = 'plain', renderMode = 0, operators = '' }: PrintedLine): string {
  const escaped = text.replaceAll(/[\\()]/g, String.raw`\$&`)
  return `BT 0 g ${operators} /${face} ${size} Tf ${renderMode} Tr 1 0 0 1 ${x} ${y} Tm (${escaped}) Tj 0 Tc 0 Ts ET`
}

function assemble(objects: ReadonlyMap<number, string>): Buffer {
  let file = '%PDF-1.7\n'
  const offsets = new Map<number, number>()
  for (const [number, body] of objects) {
    offsets.set(number, file.length)
    file += `${number} 0 obj\n${body}\nendobj\n`
  }
  const start = file.length
  const size = Math.max(...objects.keys()) + 1
  const entries = Array.from({ length: size }, (_, number) => {
    const offset = offsets.get(number)
    return offset === undefined ? '0000000000 65535 f \n' : `${String(offset).padStart(10, '0')} 00000 n \n`
  })
  file += `xref\n0 ${size}\n${entries.join('')}trailer\n<< /Size ${size} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`
  return Buffer.from(file, 'latin1')
}
