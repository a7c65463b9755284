import { createHash } from 'node:crypto'

/** The smallest text that passes for a PDF by its first bytes; different for each word. */
export const pdf = (word: string) => Buffer.from(`%PDF-1.4\n% ${word}\n%%EOF\n`)
export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

export type FormPart =
  | { readonly field: string; readonly value: string }
  | { readonly file: Uint8Array; readonly name?: string; readonly filename?: string; readonly type?: string }

export const boundary = 'a-boundary-of-the-tests'
export const formType = `multipart/form-data; boundary=${boundary}`

/** A form in exactly this order of parts, for requests that no well-behaved client would send. */
export function encodeForm(parts: readonly FormPart[], ending: 'closed' | 'cut' = 'closed'): Buffer {
  const chunks = parts.flatMap((part) => {
    if ('field' in part) {
      return [`--${boundary}\r\ncontent-disposition: form-data; name="${part.field}"\r\n\r\n${part.value}\r\n`]
    }
    const { name = 'file', filename = 'letter.pdf', type = 'application/pdf', file } = part
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${filename}"\r\ncontent-type: ${type}\r\n\r\n`
    return [head, Buffer.from(file), '\r\n']
  })
  const end = ending === 'closed' ? [`--${boundary}--\r\n`] : []
  return Buffer.concat([...chunks, ...end].map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)))
}

/** As a browser would send it: the person, then the file. */
export function uploadForm(
  patientId: string,
  bytes: Uint8Array,
  fields: Readonly<Record<string, string>> = {},
): FormData {
  const form = new FormData()
  form.set('patient_id', patientId)
  for (const [name, value] of Object.entries(fields)) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(bytes)], { type: 'application/pdf' }), 'letter.pdf')
  return form
}
