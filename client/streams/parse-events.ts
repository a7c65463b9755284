export type StreamedEvent = { readonly id: string | null; readonly event: string; readonly data: string }
export type StreamPart = StreamedEvent | { readonly retryMs: number } | { readonly comment: string }

/** Server-sent events, as the HTML standard has them: takes a stream piece by piece, answers with what each completes. */
export function createEventParser(): (chunk: string) => StreamPart[] {
  let rest = ''
  let id: string | null = null
  let event = ''
  let data: string[] = []

  const readLine = (line: string): StreamPart[] => {
    if (line === '') {
      const told = { id, event: event === '' ? 'message' : event, data: data.join('\n') }
      const isTold = data.length > 0
      event = ''
      data = []
      return isTold ? [told] : []
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (colon === 0) return [{ comment: value }]
    if (field === 'data') data.push(value)
    if (field === 'event') event = value
    if (field === 'id' && !value.includes('\0')) id = value
    return field === 'retry' && /^\d+$/.test(value) ? [{ retryMs: Number(value) }] : []
  }

  return (chunk) => {
    // A carriage return at the end may be half of a line's ending.
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    return lines.flatMap(readLine)
  }
}
