import { ocrProviderContract, ownReaderContract } from '../../../contracts/ocr-provider.ts'
import { createNativeTesseract, findNativeTesseract } from '../../../../worker/providers/ocr/tesseract-native.ts'

const native = findNativeTesseract()
const setup = {
  open: () => createNativeTesseract(native?.version ?? 'none'),
  ...(native === null ? { skip: 'no tesseract on the path' } : {}),
}

ocrProviderContract("the machine's own tesseract", setup)
ownReaderContract("the machine's own tesseract", setup)
