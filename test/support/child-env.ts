import { fileURLToPath } from 'node:url'

/** What our own programs are given as processes of a test, beside their settings: nothing of the runner's, whose hooks would run in them. */
export const childEnv = {
  PATH: process.env['PATH'] ?? '',
  // The same files are loaded by dozens of processes.
  NODE_OPTIONS: `--import=${new URL('./light-start.ts', import.meta.url).href}`,
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../.tap/compile-cache', import.meta.url)),
}
