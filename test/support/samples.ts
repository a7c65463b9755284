import { fileURLToPath } from 'node:url'

/** The path of a bundled document of `test/fixtures/documents`. */
export function sample(name: string): string {
  return fileURLToPath(new URL(`../fixtures/documents/${name}`, import.meta.url))
}
