import sharp from 'sharp'
import type { VisionRequest } from './google-client.ts'
import type { OcrImage } from './provider.ts'

/** A request takes 16 pictures and 10 MB of JSON, base64 included: https://cloud.google.com/vision/quotas, "Limits". */
export const maxPictures = 16
const maxJsonBytes = 10_000_000
/** For all that is not a picture. */
const spareBytes = 200_000
/** Of pictures, before base64 makes four bytes of three. */
export const maxPictureBytes = Math.floor(((maxJsonBytes - spareBytes) * 3) / 4)

export async function visionRequest(images: readonly OcrImage[], languages: readonly string[]): Promise<VisionRequest> {
  const contents = await Promise.all(images.map(contentOf))
  return {
    requests: contents.map((content) => ({
      image: { content },
      features: [{ type: 'DOCUMENT_TEXT_DETECTION' as const }],
      imageContext: { languageHints: [...languages] },
    })),
  }
}

// The same pixels in fewer bytes: boxes stay where they are.
async function contentOf({ png }: OcrImage): Promise<Uint8Array> {
  if (png.byteLength <= maxPictureBytes) return png
  const fine = await sharp(png).jpeg({ quality: 92 }).toBuffer()
  return fine.byteLength <= maxPictureBytes ? fine : await sharp(png).jpeg({ quality: 70 }).toBuffer()
}
