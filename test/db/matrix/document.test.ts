import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { withMatrix } from './render.ts'

test('docs/access.md says what the tests measure', async (t) => {
  const document = await readFile(join(import.meta.dirname, '../../../docs/access.md'), 'utf8')
  t.equal(document, withMatrix(document), 'run `npm run docs:access`')
})
