import { createGoogleVision } from './google-vision.ts'
import type { OcrProvider } from './provider.ts'
import { createNativeTesseract, findNativeTesseract } from './tesseract-native.ts'
import { createWasmTesseract } from './tesseract-wasm.ts'

export type OcrChoice = { readonly provider: 'local' } | { readonly provider: 'google-vision'; readonly apiKey: string }

export function createOcr(choice: OcrChoice): OcrProvider {
  return choice.provider === 'local' ? createLocalOcr() : createGoogleVision({ apiKey: choice.apiKey })
}

/** The machine's own tesseract where it is on the path, else the packaged one: about half as quick, reads the same. */
export function createLocalOcr(): OcrProvider {
  const native = findNativeTesseract()
  return native === null ? createWasmTesseract() : createNativeTesseract(native.version)
}
