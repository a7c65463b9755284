import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runMain } from '../platform/run-main.ts'
import { renderClientTypes } from './client-types/render.ts'

await runMain(async () => {
  await writeFile(fileURLToPath(new URL('../client/types.ts', import.meta.url)), renderClientTypes())
})
