import { decodeText } from '../../../../platform/text-encoding.ts'
import { flowOf } from './flow.ts'
import type { Flow, FlowBlock } from './flow.ts'
import { readSeparated } from './separated-values.ts'

export function readPlainText(file: Buffer): Flow {
  const text = decodeText(file)
  const table = readSeparated(text)
  if (table !== null) return flowOf(table)
  const pages = text.split('\f').map((page) => page.replaceAll('\v', '\n').split(/\r\n|[\r\n\u0085\u2028\u2029]/))
  return flowOf(
    pages.flatMap((lines, index): FlowBlock[] => [
      ...(index > 0 ? [{ kind: 'page break' } as const] : []),
      ...lines.map((line): FlowBlock => ({ kind: 'preformatted', text: line })),
    ]),
  )
}

export { decodeText }
