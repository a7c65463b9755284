export const docxType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'

/** What senders call the types that we know; nothing said counts as right. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  'image/jpeg': ['image/jpg', 'image/pjpeg'],
  'image/heic': ['image/heif', 'image/heic-sequence'],
  'image/heif': ['image/heic', 'image/heif-sequence'],
  'image/tiff': ['image/tif', 'image/x-tiff'],
  'application/rtf': ['text/rtf', 'text/richtext', 'application/msword'],
  'application/hl7-cda+xml': ['text/xml', 'application/xml', 'text/plain'],
  'application/fhir+json': ['application/json', 'text/json', 'application/json+fhir', 'text/plain'],
  'x-application/hl7-v2+er7': ['text/plain', 'application/hl7-v2', 'text/hl7v2'],
  'text/plain': ['text/csv', 'text/markdown', 'application/csv', 'text/tab-separated-values'],
  [docxType]: ['application/zip', 'application/msword'],
}
const saysNothing = new Set(['', 'application/octet-stream', 'binary/octet-stream', 'application/x-download'])

export function isSameType(declared: string, found: string): boolean {
  const plain = declared.toLowerCase().split(';')[0]?.trim() ?? ''
  return saysNothing.has(plain) || plain === found || (otherNames[found] ?? []).includes(plain)
}

const texts = ['text/plain', 'x-application/hl7-v2+er7', 'application/hl7-cda+xml', 'application/fhir+json']

/** What a file of this ending may be; of endings that are not here nothing follows. */
const byEnding: Readonly<Record<string, readonly string[]>> = {
  pdf: ['application/pdf'],
  jpg: ['image/jpeg'],
  jpeg: ['image/jpeg'],
  png: ['image/png'],
  webp: ['image/webp'],
  tif: ['image/tiff'],
  tiff: ['image/tiff'],
  heic: ['image/heic', 'image/heif'],
  heif: ['image/heic', 'image/heif'],
  rtf: ['application/rtf'],
  // Older programs save all three under this ending.
  doc: ['application/rtf', docxType, 'text/plain'],
  docx: [docxType],
  txt: texts,
  csv: texts,
  xml: texts,
  json: texts,
  hl7: texts,
}

export function suitsName(filename: string, found: string): boolean {
  const ending = /\.(\w{2,5})$/.exec(filename)?.[1]?.toLowerCase() ?? ''
  return byEnding[ending]?.includes(found) ?? true
}
