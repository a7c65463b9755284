/** Files that are two things at once: a document for us, something else for whoever opens them otherwise. */

const endOfDirectory = Buffer.from('PK\x05\x06', 'latin1')

/** A zip file is found by its end: a directory whose comment reaches to the last byte. */
export function endsAsZip(file: Buffer): boolean {
  const at = file.lastIndexOf(endOfDirectory)
  if (at === -1 || at + 22 > file.length) return false
  const slack = file.length - (at + 22 + file.readUInt16LE(at + 20))
  return slack >= 0 && slack <= 2
}

const page = /<(?:script|html|body|iframe|svg)[\s>]|<!doctype\s+html|<\?php/i
// oxlint-disable-next-line eslint/no-control-regex -- marks of binary files
const otherFile = /%PDF-\d|PK\x03\x04|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x7fELF|MZ[\s\S]{58,1024}PE\0\0/

export function holdsPage(bytes: Buffer): boolean {
  return page.test(bytes.toString('latin1'))
}

export function holdsOtherFile(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return otherFile.test(text) || page.test(text)
}

// oxlint-disable-next-line eslint/no-control-regex -- marks of binary files
const starts = /^(?:GIF8[79]a|PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b|#!|BM|RIFF|ID3|OggS|\x00asm|[\s\S]{4}ftyp)/

/** Of what stands before the header of a PDF. */
export function startsAsOther(before: Buffer): boolean {
  const text = before.toString('latin1')
  return starts.test(text) || page.test(text) || /^\s*<!--/.test(text)
}
