import { reasonOf, throwIfAborted } from '../abort.ts'
import { unreachable } from '../exora-error.ts'
import type { Answer, Transport } from '../transport.ts'
import { answerOf, hasXhr, openXhr } from '../xhr.ts'
import type { NativeFile, UploadOptions, UploadProgress, UploadWithFile } from './upload.ts'
import { streamForm } from './stream-form.ts'

export type FormUpload = UploadOptions & { readonly upload: UploadWithFile; readonly key: string }

/** One attempt as multipart/form-data, in the way of this platform that can tell how far it is. */
export function sendForm(transport: Transport, { upload, key, signal, onProgress }: FormUpload): Promise<Answer> {
  const { file } = upload
  const url = transport.urlOf('/documents/upload', { keep_both: upload.keep_both })
  const headers = { 'idempotency-key': key }
  const aborting = signal === undefined ? {} : { signal }

  if (onProgress !== undefined && hasXhr()) {
    return transport.once(url, headers, (to, all) => sendByXhr(to, all, { body: formOf(upload), signal, onProgress }))
  }
  if (onProgress !== undefined && 'size' in file) {
    return transport.once(url, headers, (to, all) => {
      // Made anew for a second try: a stream is read once.
      const { body, type, sizeBytes } = streamForm({ fields: fieldsOf(upload), file, name: nameOf(upload), onProgress })
      const described = { ...all, 'content-type': type, 'content-length': String(sizeBytes) }
      // What a stream as a body asks for, and the types of browsers do not know.
      const streaming = { duplex: 'half' } as const
      return transport.fetch(to, { method: 'POST', headers: described, body, ...streaming, ...aborting })
    })
  }
  return transport.once(url, headers, (to, all) =>
    transport.fetch(to, { method: 'POST', headers: all, body: formOf(upload), ...aborting }),
  )
}

/** The fields stand before the file, so that access and limits are settled before it is read. */
export function fieldsOf({ patient_id, estimated_pages, document_date, note }: UploadWithFile): [string, string][] {
  const fields = { patient_id, estimated_pages, document_date, note }
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
}

export function nameOf({ file, filename }: { file: Blob | NativeFile; filename?: string }): string {
  return filename ?? ('name' in file && typeof file.name === 'string' && file.name !== '' ? file.name : 'document')
}

function formOf(upload: UploadWithFile): FormData {
  const form = new FormData()
  for (const [name, value] of fieldsOf(upload)) form.append(name, value)
  const { file } = upload
  if ('uri' in file) {
    // React Native writes the name of a part percent-encoded.
    form.append('filename', nameOf(upload))
    appendNative(form, { uri: file.uri, type: file.type, name: nameOf(upload) })
  } else form.append('file', file, nameOf(upload))
  return form
}

// FormData of React Native takes a place where others take a Blob.
const appendNative = (form: { append(name: string, value: unknown): void }, file: NativeFile) =>
  form.append('file', file)

type XhrUpload = {
  readonly body: FormData
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: UploadProgress) => void
}

function sendByXhr(url: string, headers: Readonly<Record<string, string>>, sending: XhrUpload): Promise<Answer> {
  const { body, signal, onProgress } = sending
  throwIfAborted(signal)
  const xhr = openXhr('POST', url, headers)
  xhr.upload.addEventListener('progress', ({ loaded, total }) => onProgress({ sentBytes: loaded, totalBytes: total }))
  return new Promise<Answer>((resolve, reject) => {
    const onAbort = () => xhr.abort()
    const leave = () => signal?.removeEventListener('abort', onAbort)
    const broken = () => {
      leave()
      reject(signal?.aborted === true ? reasonOf(signal) : unreachable(undefined))
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    xhr.addEventListener('load', () => {
      leave()
      resolve(answerOf(xhr))
    })
    for (const type of ['abort', 'error', 'timeout'] as const) xhr.addEventListener(type, broken)
    xhr.send(body)
  })
}
