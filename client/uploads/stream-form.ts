import type { UploadProgress } from './upload.ts'

export type FormToStream = {
  readonly fields: readonly (readonly [string, string])[]
  readonly file: Blob
  readonly name: string
  readonly onProgress: (progress: UploadProgress) => void
}
export type StreamedForm = {
  readonly body: ReadableStream<Uint8Array>
  readonly type: string
  readonly sizeBytes: number
}

/** multipart/form-data written by hand, for platforms whose fetch does not say how much of a body has left. */
export function streamForm({ fields, file, name, onProgress }: FormToStream): StreamedForm {
  const boundary = `exora-${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`
  const said = fields.map(
    ([field, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`,
  )
  const head = encode(
    `${said.join('')}--${boundary}\r\n` +
      `content-disposition: form-data; name="file"; filename="${quoted(name)}"\r\n` +
      `content-type: ${file.type || 'application/octet-stream'}\r\n\r\n`,
  )
  const foot = encode(`\r\n--${boundary}--\r\n`)
  const sizeBytes = head.byteLength + file.size + foot.byteLength
  const parts = piecesOf(head, file, foot)
  let sentBytes = 0
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await parts.next()
      // Whoever asks for more has taken what came before.
      onProgress({ sentBytes, totalBytes: sizeBytes })
      if (done === true) return controller.close()
      sentBytes += value.byteLength
      controller.enqueue(value)
    },
    cancel: async () => {
      await parts.return(undefined)
    },
  })
  return { body, type: `multipart/form-data; boundary=${boundary}`, sizeBytes }
}

async function* piecesOf(head: Uint8Array, file: Blob, foot: Uint8Array): AsyncGenerator<Uint8Array, undefined> {
  yield head
  const reader = file.stream().getReader()
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
  } finally {
    reader.releaseLock()
  }
  yield foot
  return undefined
}

const encode = (text: string) => new TextEncoder().encode(text)
/** As the HTML standard has it. */
const quoted = (name: string) => name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22')
