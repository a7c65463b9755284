import { holdsKnownMalware } from '../../../platform/known-malware.ts'
import { decodeText } from '../../../platform/text-encoding.ts'
import { readZipDirectory, unpackEntry } from '../read/office/zip.ts'
import type { ZipEntry } from '../read/office/zip.ts'
import type { Finding } from './findings.ts'
import type { Inspection } from './inspection.ts'

const mostUnpackedBytes = 200e6
const mostEntryBytes = 60e6
/** Word's XML packs at 10 to 30 times. */
const steepestPacking = 150

export function inspectWordFile(bytes: Buffer): Inspection {
  const entries = readZipDirectory(bytes)
  if (entries === null) return found('corrupt')
  if (entries.some(({ isEncrypted }) => isEncrypted)) return found('encrypted')
  if (isBomb(entries)) return found('bomb')
  if (!entries.some(({ name }) => name === 'word/document.xml')) return contentsOfUnknownZip(bytes, entries)
  return found(...new Set(entries.flatMap((entry) => inspectEntry(bytes, entry))))
}

function isBomb(entries: readonly ZipEntry[]): boolean {
  const total = entries.reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0)
  return (
    total > mostUnpackedBytes ||
    entries.some(
      ({ unpackedBytes, packedBytes }) =>
        unpackedBytes > mostEntryBytes || (unpackedBytes > 1e6 && unpackedBytes > steepestPacking * packedBytes),
    )
  )
}

function inspectEntry(bytes: Buffer, entry: ZipEntry): Finding[] {
  const { name } = entry
  if (/vbaProject\.bin$/i.test(name)) return ['macros']
  if (/^word\/(?:embeddings|activeX)\/|\.(?:exe|dll|js|vbs|bat|cmd|scr|ps1|hta|lnk|jar)$/i.test(name))
    return ['embedded_object']
  if (entry.unpackedBytes > mostEntryBytes) return ['bomb']
  try {
    const content = unpackEntry(bytes, entry, mostEntryBytes)
    if (holdsKnownMalware(content)) return ['infected']
    return /\.(?:xml|rels)$/i.test(name) ? inspectXmlPart(name, decodeText(content)) : []
  } catch {
    // The directory said one size and the entry has another, or its bytes are broken.
    return ['corrupt']
  }
}

function inspectXmlPart(name: string, xml: string): Finding[] {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(xml)) return ['entities']
  if (name.endsWith('.rels')) return inspectRelationships(xml)
  return /(?:^|\s)(?:DDE(?:AUTO)?\s|INCLUDE(?:PICTURE|TEXT)\s+"?(?:https?:|ftp:|\\\\))/i.test(instructionsIn(xml))
    ? ['remote_content']
    : []
}

/** What fields are told to do; Word may cut one instruction into several pieces. */
function instructionsIn(xml: string): string {
  const pieces = [...xml.matchAll(/<w:instrText\b[^>]*>([^<]*)</g)].map(([, piece = '']) => piece).join('')
  const whole = [...xml.matchAll(/\bw:instr\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(
    ([, one, other]) => one ?? other ?? '',
  )
  return [pieces, ...whole].join('\n').replaceAll('&quot;', '"')
}

// Links that a reader clicks are harmless; templates, pictures and frames are fetched by themselves.
function inspectRelationships(rels: string): Finding[] {
  const findings: Finding[] = []
  for (const [tag] of rels.matchAll(/<(?:\w+:)?Relationship\b[^>]*>/g)) {
    if (/TargetMode\s*=\s*["']External["']/i.test(tag) && !/relationships\/hyperlink["']/i.test(tag))
      findings.push('remote_content')
    if (/relationships\/aFChunk["']/i.test(tag)) findings.push('embedded_object')
  }
  return findings
}

/** Types that nobody takes; looked into only far enough to give the right reason. */
export function inspectUnknown(bytes: Buffer): Inspection {
  if (bytes.subarray(0, 8).equals(Buffer.from('d0cf11e0a1b11ae1', 'hex'))) {
    const isLocked = bytes.includes(Buffer.from('EncryptedPackage', 'utf16le'))
    return isLocked ? found('encrypted') : found('unsupported_type')
  }
  const head = bytes.subarray(0, 65_536).toString('latin1')
  if (/<!(?:DOCTYPE|ENTITY)[^>]*(?:\[|ENTITY)/i.test(head) && !/<!DOCTYPE\s+html/i.test(head)) return found('entities')
  if (/^\s*<\?xml/.test(head)) return found('unknown_xml')
  const entries = head.startsWith('PK') ? readZipDirectory(bytes) : null
  return entries === null ? found('unsupported_type') : contentsOfUnknownZip(bytes, entries)
}

function contentsOfUnknownZip(bytes: Buffer, entries: readonly ZipEntry[]): Inspection {
  const isInfected = entries.slice(0, 50).some((entry) => {
    if (entry.unpackedBytes > 1e6) return false
    try {
      return holdsKnownMalware(unpackEntry(bytes, entry, 1e6))
    } catch {
      return false
    }
  })
  return isInfected ? found('infected') : found('unsupported_type')
}

function found(...findings: Finding[]): Inspection {
  return { pageCount: null, findings }
}
