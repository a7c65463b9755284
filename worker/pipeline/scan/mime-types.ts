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
