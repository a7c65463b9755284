import { encodingOf } from './text-encoding.ts'

/**
 * The type of a file by its first bytes, never by its name: an allow-list. Null for everything else. This is the quick
 * look while a file streams in; what the file really holds is for the security scan to say.
 */
export function sniffMimeType(firstBytes: Uint8Array): string | null {
  const bytes = Buffer.from(firstBytes.buffer, firstBytes.byteOffset, firstBytes.byteLength)
  if (isProgram(bytes)) return null
  const binary = signatures.find(({ isHere }) => isHere(bytes))
  return binary === undefined ? sniffText(bytes) : binary.mimeType
}

const starts = (bytes: Buffer, signature: string, at = 0) =>
  bytes.subarray(at, at + signature.length).equals(Buffer.from(signature, 'latin1'))
// Readers accept a PDF whose header stands behind a little junk.
const pdfHeaderWithin = 1024
const heicBrands = new Set(['heic', 'heix', 'hevc', 'heim', 'heis', 'hevm', 'hevs'])
const heifBrands = new Set(['mif1', 'msf1'])
const brandOf = (bytes: Buffer) => (starts(bytes, 'ftyp', 4) ? bytes.toString('latin1', 8, 12) : '')

// Also one that carries the header of a PDF a little further on.
const isProgram = (bytes: Buffer) =>
  (starts(bytes, 'MZ') && bytes.subarray(0, 64).includes(0)) ||
  ['\x7fELF', '\xca\xfe\xba\xbe', '\xcf\xfa\xed\xfe', '\xce\xfa\xed\xfe', '#!/'].some((mark) => starts(bytes, mark))

type Signature = { readonly mimeType: string; readonly isHere: (bytes: Buffer) => boolean }

const signatures: readonly Signature[] = [
  { mimeType: 'image/jpeg', isHere: (bytes) => starts(bytes, '\xff\xd8\xff') },
  { mimeType: 'image/png', isHere: (bytes) => starts(bytes, '\x89PNG\r\n\x1a\n') },
  {
    mimeType: 'image/tiff',
    isHere: (bytes) => ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].some((mark) => starts(bytes, mark)),
  },
  { mimeType: 'image/webp', isHere: (bytes) => starts(bytes, 'RIFF') && starts(bytes, 'WEBP', 8) },
  { mimeType: 'image/heic', isHere: (bytes) => heicBrands.has(brandOf(bytes)) },
  { mimeType: 'image/heif', isHere: (bytes) => heifBrands.has(brandOf(bytes)) },
  { mimeType: 'application/rtf', isHere: (bytes) => starts(bytes, '{\\rtf') },
  { mimeType: docxType(), isHere: isWordFile },
  { mimeType: 'application/pdf', isHere: (bytes) => bytes.subarray(0, pdfHeaderWithin).includes('%PDF-', 0, 'latin1') },
]

function docxType(): string {
  return 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
}

/** A zip whose first entries are those of an Office Open XML text; other archives are not taken. */
function isWordFile(bytes: Buffer): boolean {
  if (!starts(bytes, 'PK\x03\x04')) return false
  return ['[Content_Types].xml', '_rels/.rels', 'word/', 'docProps/'].some((name) => bytes.includes(name, 0, 'latin1'))
}

function sniffText(bytes: Buffer): string | null {
  const text = decodeStart(bytes)
  if (text === null) return null
  const start = text.trimStart()
  // The sender chooses the separators, and names them first.
  if (/^(?:MSH|FHS|BHS)(?:\||([^\w\s])[^\w\s]{3,5}\1)/.test(start)) return 'x-application/hl7-v2+er7'
  if (/<(\w+:)?ClinicalDocument[\s>]/.test(start)) return 'application/hl7-cda+xml'
  if (start.startsWith('{') && /"resourceType"\s*:/.test(start)) return 'application/fhir+json'
  return isMarkup(start) ? null : 'text/plain'
}

const tags =
  /^<(?:!doctype|\?xml|\?php|%@|(?:html|head|body|meta|title|link|style|script|svg|iframe|frameset|object|embed|img|form|table|div|span|center|font|h1|br|p|a)[\s/>]|[\w.-]+(?::[\w.-]+)?\s[^>]*\bxmlns(?::\w+)?=)/i

/** Pages of the web and XML of other kinds, also behind comments: they are not texts to be read as they stand. */
function isMarkup(text: string): boolean {
  return tags.test(text.replace(/^(?:<!--[\s\S]*?-->\s*)+/, ''))
}

/** Null for what holds control characters or halves of letters: that is no text in any encoding. */
function decodeStart(bytes: Buffer): string | null {
  if (bytes.length === 0) return null
  const encoding = encodingOf(bytes)
  // As a stream, because the last character may be cut in two.
  const text = new TextDecoder(encoding).decode(bytes, { stream: true })
  const isBroken = encoding.startsWith('utf-16') && text.includes('\ufffd')
  return isBroken || hasControls(text) ? null : text
}

// Tab, line feed, vertical tab, form feed and carriage return belong to texts; HL7 v2 ends with a file separator.
const controlsOfText = new Set([0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1c])

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === 0x7f || (code < 0x20 && !controlsOfText.has(code))) return true
  }
  return false
}
