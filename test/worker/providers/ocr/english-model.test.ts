import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { test } from 'tap'

const folder = join(import.meta.dirname, '../../../../worker/providers/ocr/tessdata')

void test('the packaged model is the one that its notice names', async (t) => {
  const model = gunzipSync(await readFile(join(folder, 'eng.traineddata.gz')))
  const notice = await readFile(join(folder, 'NOTICE.md'), 'utf8')
  t.match(notice, createHash('sha256').update(model).digest('hex'))
})
