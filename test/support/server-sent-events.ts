import { z } from 'zod'

export type Message = { readonly event: string; readonly data: string }

export const documentEvent = z.object({
  id: z.int(),
  stage: z.string().nullable(),
  status: z.string().nullable(),
  file_status: z.string(),
  pages_done: z.int().nullable(),
  pages_total: z.int().nullable(),
})
export type DocumentEvent = z.infer<typeof documentEvent>

/** Takes a stream piece by piece; answers with the messages that each piece completes. Comments are no messages. */
export function createEventParser(): (chunk: string) => readonly Message[] {
  let rest = ''
  return (chunk) => {
    const blocks = (rest + chunk).split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap((block) => {
      const fields = new Map(block.split('\n').map((line) => fieldOf(line)))
      const data = fields.get('data')
      return data === undefined ? [] : [{ event: fields.get('event') ?? 'message', data }]
    })
  }
}

function fieldOf(line: string): [string, string] {
  const colon = line.indexOf(':')
  return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).trimStart()]
}
