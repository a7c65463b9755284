import { invalidRequest } from '../../../plugins/errors.ts'
import { cleanFilename, readFields } from '../form.ts'
import type { UploadFields } from '../schema.ts'

export type UploadMetadata = { readonly filename: string; readonly fields: UploadFields }

const fieldNames = ['patient_id', 'idempotency_key', 'estimated_pages', 'document_date', 'note']

/** `Upload-Metadata`: pairs of a name and base64, with commas between; what we do not know is left alone. */
export function readMetadata(header: string): UploadMetadata {
  const given = new Map<string, string>()
  for (const pair of header.split(',')) {
    const [name = '', encoded = '', ...more] = pair.trim().split(' ')
    if (name === '' || more.length > 0 || given.has(name) || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) throw wrong()
    given.set(name, decode(encoded))
  }
  const fields = new Map(fieldNames.flatMap((name) => (given.get(name) ? [[name, given.get(name) ?? '']] : [])))
  return { filename: cleanFilename(given.get('filename')), fields: readFields(fields) }
}

function decode(encoded: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(encoded, 'base64'))
  } catch {
    throw wrong()
  }
}

const wrong = () => invalidRequest({ errors: [{ path: 'upload-metadata', message: 'must be names and base64' }] })
