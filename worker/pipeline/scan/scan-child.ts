/**
 * The child process in which an unknown file is taken apart. Answers once. There is one such process for each file, so
 * it loads only what takes apart files of that type.
 */
import { readFile } from 'node:fs/promises'
import { serveParent } from '../../../platform/child.ts'
import { isScanTask } from './inspection.ts'
import type { Inspection, ScanTask } from './inspection.ts'
import { docxType } from './mime-types.ts'

serveParent(async function* (task) {
  if (isScanTask(task)) yield await inspect(task, await readFile(task.path))
})

async function inspect(task: ScanTask, bytes: Buffer): Promise<Inspection> {
  const { mimeType } = task
  if (mimeType === 'application/pdf') return await (await import('./inspect-pdf.ts')).inspectPdf(bytes, task)
  if (mimeType?.startsWith('image/')) return await (await import('./inspect-image.ts')).inspectImage(bytes, task)
  if (mimeType === null || mimeType === docxType) {
    const { inspectUnknown, inspectWordFile } = await import('./inspect-word-file.ts')
    return mimeType === null ? inspectUnknown(bytes) : inspectWordFile(bytes)
  }
  return await inspectText(mimeType, bytes)
}

async function inspectText(mimeType: string, bytes: Buffer): Promise<Inspection> {
  const { inspectJson, inspectPlainText, inspectRtf, inspectXml } = await import('./inspect-text.ts')
  if (mimeType === 'application/rtf') return inspectRtf(bytes)
  if (mimeType === 'application/hl7-cda+xml') return inspectXml(bytes)
  if (mimeType === 'application/fhir+json') return inspectJson(bytes)
  return inspectPlainText(bytes)
}
