import { createGoogleVision } from './google-vision.ts'
import type { GoogleVisionOptions } from './google-vision.ts'
import type { OcrProvider } from './provider.ts'
import { createNativeTesseract, findNativeTesseract } from './tesseract-native.ts'
import { createWasmTesseract } from './tesseract-wasm.ts'

/** Google Vision where it is configured; null = nothing leaves the machine. */
export function createOcr(googleVision: GoogleVisionOptions | null): OcrProvider {
  return googleVision === null ? createLocalOcr() : createGoogleVision(googleVision)
}

/** The machine's own tesseract where it is on the path, else the packaged one: about half as quick, reads the same. */
export function createLocalOcr(): OcrProvider {
  const native = findNativeTesseract()
  return native === null ? createWasmTesseract() : createNativeTesseract(native.version)
}
