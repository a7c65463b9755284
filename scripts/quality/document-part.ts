import { readFile, writeFile } from 'node:fs/promises'

/**
 * Puts lines in the place of a part of a document that others write as well. A part stands between `<!-- name: begin -->`
 * and `<!-- name: end -->`; throws where the document does not have it.
 */
export async function replacePart(path: string, name: string, lines: readonly string[]): Promise<void> {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const text = await readFile(path, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${path} has no part "${name}"`)
  await writeFile(path, `${text.slice(0, from + begin.length)}\n${lines.join('\n').trim()}\n${text.slice(to)}`)
}
