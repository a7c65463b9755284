import { readFile, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const root = fileURLToPath(new URL('../../', import.meta.url))

test('docs/errors.md lists the codes of the source, each with its status, and no others', async (t) => {
  const documented = [...(await readFile(`${root}docs/errors.md`, 'utf8')).matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)]
  const defined = (await Promise.all((await sourceFiles()).map(codesOf))).flat()
  t.ok(defined.length > 40, 'the source is read')
  t.same(documented.map(([, code, status]) => `${code} ${status}`).toSorted(), [...new Set(defined)].toSorted())
})

test('docs/errors.md lists the codes with which the database ends a stage, and no others', async (t) => {
  const page = await readFile(`${root}docs/errors.md`, 'utf8')
  const documented = [...page.matchAll(/^\| `([a-z_]+)` \| (?!\d{3} \|)/gm)].map(([, code]) => `${code}`)
  const names = (await readdir(`${root}db/sql`)).filter((name) => name.endsWith('.sql'))
  const sources = await Promise.all(names.map((name) => readFile(`${root}db/sql/${name}`, 'utf8')))
  const raised = sources.flatMap((sql) =>
    // A code that is given, or the one that stands in for a code that was not.
    [...sql.matchAll(/'code',(?:[^\n]*?p_error ->> 'code'[^\n]*?,)? *'(?!message')([a-z_]{3,})'/g)].map(
      ([, code = '']) => code,
    ),
  )
  t.ok(raised.includes('worker_lost') && raised.includes('processing_failed'), 'the functions are read')
  t.same(documented.toSorted(), [...new Set(raised)].toSorted())
})

async function sourceFiles(): Promise<string[]> {
  const folders = ['platform', 'db', 'jobs', 'clinical', 'server', 'worker']
  const found = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(root + folder, { recursive: true })).map((name) => `${root}${folder}/${name}`),
    ),
  )
  return found.flat().filter((path) => path.endsWith('.ts'))
}

async function codesOf(path: string): Promise<string[]> {
  const source = await readFile(path, 'utf8')
  return [...source.matchAll(/defineError\(\s*'([a-z_]+)',\s*(\d{3})/g)].map(([, code, status]) => `${code} ${status}`)
}
