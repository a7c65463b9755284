import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runMain } from '../platform/run-main.ts'
import { withMatrix } from '../test/db/matrix/render.ts'

// The tables of docs/access.md come from the data that the tests measure the database against.
await runMain(async () => {
  const path = fileURLToPath(new URL('../docs/access.md', import.meta.url))
  await writeFile(path, withMatrix(await readFile(path, 'utf8')))
})
