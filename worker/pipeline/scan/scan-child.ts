/** The child process in which an unknown file is taken apart. Answers once. */
import { readFile } from 'node:fs/promises'
import { serveParent } from '../../../platform/child.ts'
import { inspectImage } from './inspect-image.ts'
import { inspectPdf } from './inspect-pdf.ts'
import { inspectJson, inspectPlainText, inspectRtf, inspectXml } from './inspect-text.ts'
import { inspectUnknown, inspectWordFile } from './inspect-word-file.ts'
import { scanTaskSchema } from './inspection.ts'
import type { Inspection, ScanTask } from './inspection.ts'
import { docxType } from './mime-types.ts'

serveParent(async function* (message) {
  const task = scanTaskSchema.parse(message)
  yield await inspect(task, await readFile(task.path))
})

async function inspect(task: ScanTask, bytes: Buffer): Promise<Inspection> {
  const { mimeType } = task
  if (mimeType === null) return inspectUnknown(bytes)
  if (mimeType === 'application/pdf') return inspectPdf(bytes, task)
  if (mimeType.startsWith('image/')) return inspectImage(bytes, task)
  if (mimeType === docxType) return inspectWordFile(bytes)
  if (mimeType === 'application/rtf') return inspectRtf(bytes)
  if (mimeType === 'application/hl7-cda+xml') return inspectXml(bytes)
  if (mimeType === 'application/fhir+json') return inspectJson(bytes)
  return inspectPlainText(bytes)
}
