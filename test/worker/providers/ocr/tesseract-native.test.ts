import { ocrProviderContract } from '../../../contracts/ocr-provider.ts'
import { createNativeTesseract, findNativeTesseract } from '../../../../worker/providers/ocr/tesseract-native.ts'

const native = findNativeTesseract()

ocrProviderContract("the machine's own tesseract", {
  open: () => createNativeTesseract(native?.version ?? 'none'),
  ...(native === null ? { skip: 'no tesseract on the path' } : {}),
})
