import { holdsKnownMalware } from '../../../platform/known-malware.ts'
import { loadPdfium, openPage, openPdf, PdfNotOpened } from '../../../platform/rendering/pdfium.ts'
import type { PdfDocument } from '../../../platform/rendering/pdfium.ts'
import type { Finding } from './findings.ts'
import type { Inspection, ScanTask } from './inspection.ts'
import { findStreams, undoNames, unpackStream } from './pdf-streams.ts'

/**
 * First the bytes themselves, since bombs must be found before a renderer opens the file; then PDFium says whether it
 * opens, and how many pages it has.
 */
export async function inspectPdf(bytes: Buffer, task: ScanTask): Promise<Inspection> {
  const fromBytes = new Set([
    ...inspectNames(undoNames(bytes.toString('latin1'))),
    ...inspectStreams(bytes),
    ...inspectEnds(bytes),
  ])
  if (fromBytes.has('bomb') || fromBytes.has('infected')) return { pageCount: null, findings: [...fromBytes] }
  const opened = await inspectOpened(bytes, task)
  const isAttachment = fromBytes.has('executable_attachment')
  const findings = [...fromBytes, ...opened.findings].filter((finding) => !isAttachment || finding !== 'attachment')
  return { pageCount: opened.pageCount, findings: [...new Set(findings)] }
}

const names: readonly (readonly [RegExp, Finding])[] = [
  [/\/Launch\b/, 'launch'],
  [/\/(?:JavaScript|JS)\b/, 'script'],
  [/\/(?:EmbeddedFiles?|Filespec)\b/, 'attachment'],
  [/\/XFA\b/, 'form'],
  [/\/(?:RichMedia|Screen|Movie|Sound|3D)\b(?!\w)/, 'rich_media'],
  [/\/(?:SubmitForm|ImportData|GoToR|GoToE)\b/, 'form'],
]
const executableName = /\.(?:exe|dll|com|scr|bat|cmd|js|vbs|ps1|hta|msi|jar|lnk|docm|xlsm)\b/i

function inspectNames(text: string): Finding[] {
  const found = names.flatMap(([name, finding]) => (name.test(text) ? [finding] : []))
  if (
    found.includes('attachment') &&
    [...text.matchAll(/\/U?F\s*\(([^)]{1,200})\)/g)].some(([, name]) => executableName.test(name ?? ''))
  ) {
    found.push('executable_attachment')
  }
  return found
}

/** Above any page of a scan at 600 dpi in colour would be 104 MB; such streams pack badly, bombs a thousandfold. */
const mostStreamBytes = 64e6
const steepestPacking = 250
const mostTotalBytes = 1.5e9
const mostImagePixels = 400e6

function inspectStreams(file: Buffer): Finding[] {
  const findings = new Set<Finding>()
  let total = 0
  for (const stream of findStreams(file)) {
    if (isPixelBomb(stream.dictionary, stream.packed)) findings.add('bomb')
    const unpacked = unpackStream(stream, mostStreamBytes)
    if (unpacked.kind === 'bomb' && mostStreamBytes > steepestPacking * stream.packed.length) findings.add('bomb')
    if (unpacked.kind !== 'bytes') continue
    total += unpacked.bytes.length
    if (total > mostTotalBytes) findings.add('bomb')
    if (holdsKnownMalware(unpacked.bytes)) findings.add('infected')
    if (/\/ObjStm\b/.test(stream.dictionary)) {
      for (const finding of inspectNames(undoNames(unpacked.bytes.toString('latin1')))) findings.add(finding)
    }
    if (findings.has('bomb')) break
  }
  return [...findings]
}

// Bilevel codings pack ten gigapixels into a few kilobytes; their own headers say how large they are.
function isPixelBomb(dictionary: string, packed: Buffer): boolean {
  const width = Number(/\/Width\s+(\d+)/.exec(dictionary)?.[1] ?? 0)
  const height = Number(/\/Height\s+(\d+)/.exec(dictionary)?.[1] ?? 0)
  if (width * height > mostImagePixels) return true
  if (!/\/JBIG2Decode\b/.test(dictionary)) return false
  const isPicture = /\/Subtype\s*\/Image\b/.test(dictionary)
  return !isPicture || pixelsOfJbig2(packed) > mostImagePixels
}

const pageInformation = 48

/** From the page information segment, if it stands first as it does in practice. */
function pixelsOfJbig2(packed: Buffer): number {
  const isPage = packed.length > 19 && ((packed[4] ?? 0) & 0x3f) === pageInformation
  return isPage ? packed.readUInt32BE(11) * packed.readUInt32BE(15) : 0
}

function inspectEnds(file: Buffer): Finding[] {
  const findings: Finding[] = []
  const tail = file.subarray(-65_600)
  if (file.subarray(0, 2).toString('latin1') === 'PK' || tail.includes('PK\x05\x06', 0, 'latin1'))
    findings.push('polyglot')
  if (!file.subarray(-4096).includes('%%EOF', 0, 'latin1')) findings.push('damaged')
  return findings
}

const hugePagePt = 72 * 60

async function inspectOpened(bytes: Buffer, { maxPages }: ScanTask): Promise<Inspection> {
  const document = await open(bytes)
  if (document instanceof PdfNotOpened) {
    return { pageCount: null, findings: [document.reason === 'password' ? 'encrypted' : 'corrupt'] }
  }
  const { pdfium, pageCount } = document
  if (pageCount <= 0) return { pageCount: 0, findings: ['no_pages'] }
  if (pageCount > maxPages)
    return { pageCount, findings: [openPage(document, maxPages) === null ? 'corrupt' : 'too_many_pages'] }
  const findings: Finding[] = inspectPages(document)
  if (pdfium.call('FPDFDoc_GetJavaScriptActionCount', document.pointer) > 0) findings.push('script')
  if (pdfium.call('FPDFDoc_GetAttachmentCount', document.pointer) > 0) findings.push('attachment')
  if (pdfium.call('FPDF_DocumentHasValidCrossReferenceTable', document.pointer) === 0) findings.push('damaged')
  return { pageCount, findings }
}

async function open(bytes: Buffer): Promise<PdfDocument | PdfNotOpened> {
  try {
    return openPdf(await loadPdfium(), bytes)
  } catch (error) {
    if (error instanceof PdfNotOpened) return error
    throw error
  }
}

function inspectPages(document: PdfDocument): Finding[] {
  const findings = new Set<Finding>()
  let opened = 0
  for (let index = 0; index < document.pageCount; index++) {
    const page = openPage(document, index)
    if (page === null) {
      findings.add('damaged')
      continue
    }
    opened++
    if (Math.max(page.widthPt, page.heightPt) > hugePagePt) findings.add('huge_page')
    page.close()
  }
  return opened === 0 ? ['corrupt'] : [...findings]
}
