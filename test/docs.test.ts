import { readdirSync, readFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'tap'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const documents = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
]
const packageFile = JSON.parse(read('package.json')) as { scripts: Record<string, string> }

test('every link between our documents leads to a file', async (t) => {
  for (const document of documents) {
    for (const [, target = ''] of read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)) {
      t.ok(existsSync(join(root, dirname(document), target)), `${document} → ${target}`)
    }
  }
})

test('every path of the source that a document names exists', async (t) => {
  const paths = /`((?:platform|db|jobs|clinical|server|worker|client|test|scripts|bench)\/[\w./-]+)`/g
  for (const document of documents) {
    for (const [, path = ''] of read(document).matchAll(paths)) {
      t.ok(existsSync(join(root, path)), `${document} names ${path}`)
    }
  }
})

test('every npm command that a document gives is in package.json', async (t) => {
  for (const document of documents) {
    for (const [, script = ''] of read(document).matchAll(/npm run ([\w:-]+)/g)) {
      t.ok(script in packageFile.scripts, `${document}: npm run ${script}`)
    }
  }
})

test('CI runs the test command of the README', async (t) => {
  const ci = read('.ci/run')
  t.match(read('README.md'), 'npm ci && npm test')
  t.match(ci, /^npm ci$/m)
  t.match(ci, /^npm test$/m)
})

test('the blueprint and the image start files that exist', async (t) => {
  const commands = `${read('render.yaml')}\n${read('Dockerfile').replaceAll(/["',[\]]/g, ' ')}`
  const files = [...commands.matchAll(/node\s+((?:server|worker|scripts)\/[\w-]+\.ts)/g)].map(([, file = '']) => file)
  t.ok(files.length >= 4)
  for (const file of files) t.ok(existsSync(join(root, file)), file)
})

test('.env.example and the configuration name the same variables', async (t) => {
  const sources = [
    'platform/env.ts',
    'platform/tracing.ts',
    'server/config.ts',
    'server/protection-config.ts',
    'worker/config.ts',
    'platform/storage/s3.ts',
  ]
  const known = sources
    .filter((path) => existsSync(join(root, path)))
    .flatMap((path) => [...read(path).matchAll(/^ +([A-Z][A-Z_0-9]+):/gm)])
  const documented = [...read('.env.example').matchAll(/^# ([A-Z][A-Z_0-9]+)=/gm)]
  const names = (matches: readonly RegExpMatchArray[]) => [...new Set(matches.map(([, name = '']) => name))].toSorted()
  t.ok(known.length > 20)
  t.same(
    names(documented).filter((name) => !name.startsWith('AWS_')),
    names(known),
  )
})
