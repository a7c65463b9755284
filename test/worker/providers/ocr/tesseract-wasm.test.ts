import { ocrProviderContract, ownReaderContract } from '../../../contracts/ocr-provider.ts'
import { createWasmTesseract } from '../../../../worker/providers/ocr/tesseract-wasm.ts'

const setup = { open: () => createWasmTesseract() }

ocrProviderContract('the packaged tesseract', setup)
ownReaderContract('the packaged tesseract', setup)
