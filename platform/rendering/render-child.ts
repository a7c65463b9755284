/** The child process behind `renderPage`: answers once, with a picture or with null where there is nothing to draw. */
import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import type { Sharp } from 'sharp'
import { z } from 'zod'
import { serveParent } from '../child.ts'
import { mostPixels, openPicture } from './open-picture.ts'
import { loadPdfium, openPage, openPdf } from './pdfium.ts'
import { renderBitmap } from './render-bitmap.ts'

const taskSchema = z.object({
  path: z.string(),
  mimeType: z.string(),
  page: z.number().int().positive(),
  widthPx: z.number(),
  rotation: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
  format: z.enum(['png', 'webp']),
})
type Task = z.infer<typeof taskSchema>

serveParent(async function* (message) {
  const task = taskSchema.parse(message)
  if (task.mimeType === 'application/pdf') yield await renderPdf(task)
  else yield task.mimeType.startsWith('image/') ? await renderPicture(task) : null
})

async function renderPdf(task: Task): Promise<Uint8Array | null> {
  const document = openPdf(await loadPdfium(), await readFile(task.path))
  const page = openPage(document, task.page - 1)
  if (page === null) return null
  const isSideways = task.rotation === 90 || task.rotation === 270
  const ratio = page.heightPt / page.widthPt
  const wanted = isSideways ? task.widthPx / ratio : task.widthPx
  const shrink = Math.min(1, Math.sqrt(mostPixels / (wanted * wanted * ratio)))
  const size = { width: atLeastOne(wanted * shrink), height: atLeastOne(wanted * ratio * shrink) }
  const { data, width, height } = renderBitmap(document, page, { ...size, colour: 'colour' })
  const drawn = sharp(data, { raw: { width, height, channels: 4 }, limitInputPixels: mostPixels })
  return await encoded(drawn.rotate(task.rotation).removeAlpha(), task)
}

// Turned first, then resized: sharp resizes before it turns if both are asked of one pipeline.
async function renderPicture(task: Task): Promise<Uint8Array> {
  const { picture } = await openPicture(task.path, task.mimeType, task.page - 1)
  const upright = await picture
    .autoOrient()
    .flatten({ background: 'white' })
    .raw()
    .toBuffer({ resolveWithObject: true })
  const { width, height, channels } = upright.info
  const turned = await sharp(upright.data, { raw: { width, height, channels }, limitInputPixels: mostPixels })
    .rotate(task.rotation)
    .raw()
    .toBuffer({ resolveWithObject: true })
  const raw = { width: turned.info.width, height: turned.info.height, channels: turned.info.channels }
  return await encoded(sharp(turned.data, { raw, limitInputPixels: mostPixels }).resize({ width: task.widthPx }), task)
}

// Re-encoded pixels only: nothing else of the file goes out with the picture.
async function encoded(picture: Sharp, { format }: Task): Promise<Uint8Array> {
  const file = format === 'webp' ? picture.webp({ quality: 80 }) : picture.png({ compressionLevel: 6 })
  return await file.toBuffer()
}

function atLeastOne(pixels: number): number {
  return Math.max(1, Math.round(pixels))
}
