import tap from 'tap'
import { createGoogleVision } from '../../../../worker/providers/ocr/google-vision.ts'
import { ocrProviderContract } from '../../../contracts/ocr-provider.ts'
import { pictureOfText } from '../../../support/picture-of-text.ts'
import { line, madeResponse } from '../../../support/vision-answer.ts'
import { startVisionServer } from '../../../support/vision-server.ts'

/** What is printed on the pictures of the contract, by their bytes: this Vision reads no others. */
const printed = [['Haemoglobin 131 g/L', 'Potassium 4.2 mmol/L'], ['Sodium 140 mmol/L']]

const server = await startVisionServer()
tap.teardown(() => server.close())
const readings = new Map<string, unknown>()
for (const lines of printed) {
  const { png, widthPx: width, heightPx: height } = await pictureOfText(lines)
  const words = lines.flatMap((text, row) => line(text, 200, 200 + 110 * row))
  readings.set(Buffer.from(png).toString('base64'), madeResponse([[words]], { width, height, turned: 0 }))
}
server.answer = ({ pictures }) => ({ kind: 'responses', responses: pictures.map((png) => readings.get(png) ?? {}) })

const endpoint = { host: '127.0.0.1', port: server.port, protocol: 'http' } as const
// Building its client takes longer than all the rest.
const ocr = createGoogleVision({ apiKey: 'k', endpoint })
tap.teardown(() => ocr.close())
ocrProviderContract('Google Vision', { open: () => ({ ...ocr, close: () => Promise.resolve() }) })
