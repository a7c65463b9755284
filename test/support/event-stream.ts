export type Told = {
  readonly id: string | null
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** A stream of events as a client reads it, one by one. */
export async function openEvents(url: string, headers: Readonly<Record<string, string>>) {
  const controller = new AbortController()
  const answer = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: controller.signal })
  if (answer.status !== 200 || answer.body === null) throw new Error(`no stream: ${answer.status}`)
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  let read = 0
  const next = async (): Promise<Told | null> => {
    for (;;) {
      const end = text.indexOf('\n\n', read)
      if (end === -1) {
        const { value, done } = await reader.read()
        if (done) return null
        text += value
        continue
      }
      const told = parse(text.slice(read, end))
      read = end + 2
      if (told !== null) return told
    }
  }
  return {
    text: () => text,
    /** The next event; null when the stream has ended. */
    next,
    close: async () => {
      controller.abort()
      await reader.closed.catch(() => {})
    },
  }
}

function parse(block: string): Told | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  const data = fields.get('data')
  return data === undefined
    ? null
    : { id: fields.get('id') ?? null, event: fields.get('event') ?? 'message', data: JSON.parse(data) }
}
