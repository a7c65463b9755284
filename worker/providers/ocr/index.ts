import type { GoogleVisionOptions } from './google-vision.ts'
import type { OcrProvider } from './provider.ts'
import { createNativeTesseract, findNativeTesseract } from './tesseract-native.ts'
import { createWasmTesseract } from './tesseract-wasm.ts'

/** Google Vision where it is configured; null: nothing leaves the machine. */
export async function createOutsideOcr(googleVision: GoogleVisionOptions | null): Promise<OcrProvider | null> {
  if (googleVision === null) return null
  // Loaded only where it is used: the client is larger than all the rest of a worker.
  const { createGoogleVision } = await import('./google-vision.ts')
  return createGoogleVision(googleVision)
}

/** The machine's own tesseract where it is on the path, else the packaged one: about half as quick, reads the same. */
export function createLocalOcr(): OcrProvider {
  const native = findNativeTesseract()
  if (native === null) return createWasmTesseract()
  return withSpare(createNativeTesseract(native.version), createWasmTesseract())
}

/** An installation that breaks (language data gone, killed for its memory) leaves pages to the packaged reader. */
export function withSpare(first: OcrProvider, spare: OcrProvider): OcrProvider {
  return {
    ...first,
    recognise: async (image, options) => {
      try {
        return await first.recognise(image, options)
      } catch {
        options.signal.throwIfAborted()
        return await spare.recognise(image, options)
      }
    },
    close: async () => {
      await Promise.all([first.close(), spare.close()])
    },
  }
}
