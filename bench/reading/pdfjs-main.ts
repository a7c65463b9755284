/** Reads the text of every page of a file with pdf.js, with its places, and says how many pieces there were. */
import { readFile } from 'node:fs/promises'
import { getDocument } from 'pdfjs-dist/legacy/build/pdf.mjs'

const [path = ''] = process.argv.slice(2)
if (path !== '--probe') {
  const document = await getDocument({ data: new Uint8Array(await readFile(path)), verbosity: 0 }).promise
  let pieces = 0
  for (let number = 1; number <= document.numPages; number++) {
    const page = await document.getPage(number)
    pieces += (await page.getTextContent()).items.length
    page.cleanup()
  }
  console.log(pieces)
}
