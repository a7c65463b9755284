import { bold, flowOf, plain } from './flow.ts'
import type { Flow, FlowBlock } from './flow.ts'

/** Text in UTF-8, UTF-16 with its mark, or the single bytes of Windows. */
export function decodeText(file: Buffer): string {
  if (file[0] === 0xff && file[1] === 0xfe) return new TextDecoder('utf-16le').decode(file)
  if (file[0] === 0xfe && file[1] === 0xff) return new TextDecoder('utf-16be').decode(file)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file)
  } catch {
    return new TextDecoder('windows-1252').decode(file)
  }
}

export function readPlainText(file: Buffer): Flow {
  const lines = decodeText(file).split(/\r\n|\r|\n|\u0085|\u2028/)
  const table = readSeparated(lines)
  if (table !== null) return flowOf([table])
  const blocks = lines.flatMap((line): FlowBlock[] => {
    const [text = '', ...afterBreaks] = line.split('\f')
    return [
      { kind: 'preformatted', text },
      ...afterBreaks.flatMap((rest): FlowBlock[] => [{ kind: 'page break' }, { kind: 'preformatted', text: rest }]),
    ]
  })
  return flowOf(blocks)
}

const separators = [',', ';', '\t', '|']

/** A table if every line has as many separators as the first, and at least two. */
function readSeparated(lines: readonly string[]): FlowBlock | null {
  const filled = lines.filter((line) => line.trim() !== '')
  if (filled.length < 3) return null
  for (const separator of separators) {
    const rows = filled.map((line) => fieldsOf(line, separator))
    const width = rows[0]?.length ?? 0
    if (width < 3 || rows.some((row) => row.length !== width)) continue
    const [header = [], ...body] = rows
    return {
      kind: 'table',
      rows: [header.map((field) => [bold(field)]), ...body.map((row) => row.map((field) => [plain(field)]))],
    }
  }
  return null
}

const field = (separator: string): RegExp => {
  const mark = separator === '|' ? String.raw`\|` : separator
  return new RegExp(`(?:"((?:[^"]|"")*)"|([^${mark}]*))(?:${mark}|$)`, 'g')
}

function fieldsOf(line: string, separator: string): string[] {
  const fields: string[] = []
  for (const match of `${line}${separator}`.matchAll(field(separator))) {
    if (match[0] !== '') fields.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim())
  }
  return fields
}
