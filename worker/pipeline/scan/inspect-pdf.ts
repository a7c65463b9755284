import { holdsKnownMalware } from '../../../platform/known-malware.ts'
import { openPdf, loadPdfium, PdfNotOpened } from '../../../platform/rendering/pdfium.ts'
import type { PdfDocument } from '../../../platform/rendering/pdfium.ts'
import { plainCopy } from '../../../platform/rendering/plain-copy.ts'
import type { Finding } from './findings.ts'
import { endsAsZip, holdsPage, startsAsOther } from './foreign-data.ts'
import type { Inspection, ScanTask } from './inspection.ts'
import { inspectNames } from './pdf-names.ts'
import { inspectPages } from './pdf-pages.ts'
import { findStreams, isPixelBomb, undoNames, unpackStream } from './pdf-streams.ts'

/**
 * First the bytes themselves, since bombs must be found before a renderer opens the file; then PDFium says whether it
 * opens, how many pages it has, and what its bytes did not show.
 */
export async function inspectPdf(bytes: Buffer, task: ScanTask): Promise<Inspection> {
  const fromBytes = new Set([...(await inspectContents(bytes)), ...inspectEnds(bytes)])
  if (fromBytes.has('bomb') || fromBytes.has('infected')) return { pageCount: null, findings: [...fromBytes] }
  const opened = await inspectOpened(bytes, task)
  const all = new Set([...fromBytes, ...opened.findings])
  if (all.has('executable_attachment')) all.delete('attachment')
  return { pageCount: opened.pageCount, findings: [...all] }
}

const inspectContents = async (file: Buffer): Promise<Finding[]> => [
  ...inspectNames(undoNames(file.toString('latin1'))),
  ...(await inspectStreams(file)),
]

const mostTotalBytes = 1.5e9

async function inspectStreams(file: Buffer): Promise<Finding[]> {
  const findings = new Set<Finding>()
  let total = 0
  for (const stream of findStreams(file)) {
    if (isPixelBomb(stream)) findings.add('bomb')
    const unpacked = await unpackStream(stream)
    if (unpacked.kind === 'bomb') findings.add('bomb')
    if (unpacked.kind !== 'bytes') continue
    total += unpacked.bytes.length
    if (total > mostTotalBytes) findings.add('bomb')
    for (const finding of inspectStream(stream.dictionary, unpacked.bytes)) findings.add(finding)
    if (findings.has('bomb')) break
  }
  return [...findings]
}

function inspectStream(dictionary: string, bytes: Buffer): Finding[] {
  if (holdsKnownMalware(bytes)) return ['infected']
  if (/\/ObjStm\b/.test(dictionary)) return inspectNames(undoNames(bytes.toString('latin1')))
  const isProgram = /^(?:MZ|\x7fELF|#!)/.test(bytes.toString('latin1', 0, 4))
  return isProgram && /\/EmbeddedFile\b/.test(dictionary) ? ['executable_attachment'] : []
}

function inspectEnds(file: Buffer): Finding[] {
  const findings: Finding[] = []
  const header = file.indexOf('%PDF-', 0, 'latin1')
  const end = file.lastIndexOf('%%EOF', undefined, 'latin1')
  const isForeign = endsAsZip(file) || startsAsOther(file.subarray(0, header)) || holdsPage(file.subarray(end + 5))
  if (isForeign && end !== -1) findings.push('polyglot')
  if (!file.subarray(-4096).includes('%%EOF', 0, 'latin1')) findings.push('damaged')
  return findings
}

async function inspectOpened(bytes: Buffer, { maxPages }: ScanTask): Promise<Inspection> {
  const document = await open(bytes)
  if (document instanceof PdfNotOpened) {
    return { pageCount: null, findings: [document.reason === 'password' ? 'encrypted' : 'corrupt'] }
  }
  const { pdfium, pointer, pageCount } = document
  if (pageCount <= 0) return { pageCount: 0, findings: ['no_pages'] }
  const pages = inspectPages(document, maxPages)
  if (pages.includes('corrupt') || pages.includes('too_many_pages')) return { pageCount, findings: pages }
  const findings: Finding[] = [...pages]
  if (pdfium.call('FPDFDoc_GetJavaScriptActionCount', pointer) > 0) findings.push('script')
  if (pdfium.call('FPDFDoc_GetAttachmentCount', pointer) > 0) findings.push('attachment')
  if (pdfium.call('FPDF_DocumentHasValidCrossReferenceTable', pointer) === 0) findings.push('damaged')
  return { pageCount, findings: [...findings, ...(await inspectHidden(bytes, document))] }
}

const mostCopiedBytes = 300e6

/** Where objects are packed or encrypted, PDFium writes them out in the open. */
async function inspectHidden(bytes: Buffer, document: PdfDocument): Promise<Finding[]> {
  const isEncrypted = document.pdfium.call('FPDF_GetSecurityHandlerRevision', document.pointer) >= 0
  if (!isEncrypted && !bytes.includes('ObjStm', 0, 'latin1')) return []
  try {
    const copy = plainCopy(document, mostCopiedBytes)
    if (copy === null) return []
    return isEncrypted ? await inspectContents(copy) : inspectNames(undoNames(copy.toString('latin1')))
  } catch {
    // PDFium gave up on writing what it could read; its pages are there all the same.
    return ['damaged']
  }
}

async function open(bytes: Buffer): Promise<PdfDocument | PdfNotOpened> {
  try {
    return openPdf(await loadPdfium(), bytes)
  } catch (error) {
    if (error instanceof PdfNotOpened) return error
    throw error
  }
}
