import { ocrProviderContract } from '../../../contracts/ocr-provider.ts'
import { createWasmTesseract } from '../../../../worker/providers/ocr/tesseract-wasm.ts'

ocrProviderContract('the packaged tesseract', { open: () => createWasmTesseract() })
