import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import {
  findCycles,
  findForbiddenNames,
  findImportViolations,
  findLongFiles,
  importsOf,
} from './support/architecture.ts'

const root = join(import.meta.dirname, '..')
const paths = filesOfTheHouse()
const sources = readAll(paths.filter((path) => /\.tsx?$/.test(path)))

test('every import obeys the plan of the house', (t) => {
  t.ok(sources.size > 20, 'the sources were found')
  t.same(findImportViolations(sources), [])
  t.end()
})

test('what tests start gets the options that they were started with', (t) => {
  const options = '--max-old-space-size=500 --import=./test/support/light-start.ts'
  const env = { PATH: process.env['PATH'], NODE_OPTIONS: options }
  const given = execFileSync(process.execPath, ['-p', 'process.env.NODE_OPTIONS'], { cwd: root, env, encoding: 'utf8' })
  t.match(given, /^--max-old-space-size=500 --import=file:\S+\/light-start\.ts$/m)
  t.end()
})

test('no files import each other in a circle', (t) => {
  t.same(findCycles(sources), [])
  t.end()
})

test('no file or folder has a name that says nothing', (t) => {
  t.same(findForbiddenNames(paths), [])
  t.end()
})

test('a file over 300 lines says why', (t) => {
  const long = findLongFiles(readAll(paths.filter((path) => /\.(tsx?|sql)$/.test(path) && !isExempt(path))))
  for (const { path, lines, reason } of long) {
    t.comment(`${path}: ${lines} lines`)
    t.not(reason, null, `${path} (${lines} lines) needs "Longer than 300 lines because …" in its first five lines`)
  }
  t.end()
})

test('the check refuses what it should', (t) => {
  const refused: [string, string][] = [
    ['platform/log.ts', "import { x } from '../db/client.ts'"],
    ['db/client.ts', "import type { Job } from '../jobs/job.ts'"],
    ['jobs/job.ts', "import { x } from '../clinical/document/page.ts'"],
    ['clinical/entities/index.ts', "import { asService } from '../../db/actor.ts'"],
    ['clinical/entities/index.ts', "import { x } from '../../jobs/index.ts'"],
    ['clinical/entities/index.ts', "import OpenAI from 'openai'"],
    ['server/app.ts', "export { x } from '../worker/pipeline/map/map.ts'"],
    ['server/app.ts', "import {\n  a,\n  b,\n} from '../test/support/signals.ts'"],
    ['worker/main.ts', "const { x } = await import('../server/app.ts')"],
    ['worker/engine/pool.ts', "import type { Fact } from '../../clinical/document/found-fact.ts'"],
    ['worker/engine/pool.ts', "import { x } from '../handlers/index.ts'"],
    ['worker/providers/ocr/vision.ts', "import type { Word } from '../../../clinical/document/page.ts'"],
    ['worker/providers/ocr/vision.ts', "new Worker(new URL('../../pipeline/read/read.ts', import.meta.url))"],
    ['worker/pipeline/read/read.ts', "import { x } from '../../../db/client.ts'"],
    ['worker/pipeline/read/read.ts', "import { x } from '../../providers/ocr/tesseract.ts'"],
    ['worker/handlers/ocr.ts', "import { x } from '../engine/pool.ts'"],
    ['worker/handlers/ocr.ts', "import type { x } from '../worker.ts'"],
    ['web/src/api.ts', "import { schema } from '../../server/routes/usage/schema.ts'"],
    ['client/types.ts', "import type { schema } from '../server/routes/usage/schema.ts'"],
    ['client/transport.ts', "import type { Api } from '../server/types.ts'"],
    ['client/transport.ts', "import { randomUUID } from 'node:crypto'"],
    ['client/transport.ts', "import type { z } from 'zod'"],
    ['elsewhere/x.ts', "import { x } from '../platform/log.ts'"],
  ]
  for (const [path, text] of refused)
    t.equal(findImportViolations(new Map([[path, text]])).length, 1, `${path}: ${text}`)

  const allowed: [string, string][] = [
    ['clinical/entities/index.ts', "import type { Tx } from '../../db/actor.ts'"],
    ['worker/pipeline/read/read.ts', "import type { OcrProvider } from '../../providers/ocr/provider.ts'"],
    ['worker/handlers/ocr.ts', "import type { Handler } from '../engine/execute.ts'"],
    ['worker/worker.ts', "import { createPool } from './engine/pool.ts'"],
    ['web/src/api.ts', "import type { Usage } from '../../server/routes/usage/schema.ts'"],
    [
      'platform/log.ts',
      "// import { x } from '../db/client.ts'\n/* import { y } from '../db/client.ts' */\nimport { pino } from 'pino'",
    ],
  ]
  t.same(findImportViolations(new Map(allowed)), [])
  t.end()
})

test('the check finds circles, names and long files', (t) => {
  const circle = new Map([
    ['db/a.ts', "import { b } from './b.ts'"],
    ['db/b.ts', "import { c } from './c.ts'"],
    ['db/c.ts', "import { a } from './a.ts'\nimport './d.ts'"],
    ['db/d.ts', "import type { a } from './a.ts'"],
  ])
  t.same(findCycles(circle), ['db/a.ts → db/b.ts → db/c.ts → db/a.ts'])
  t.same(findForbiddenNames(['db/utils/x.ts', 'server/date-helpers.ts', 'platform/commonplace.ts', 'web/Misc.tsx']), [
    'db/utils',
    'server/date-helpers.ts',
    'web/Misc.tsx',
  ])
  const long = 'x\n'.repeat(301)
  const found = findLongFiles(
    new Map([
      ['a.ts', long],
      ['b.ts', `// Longer than 300 lines because it is one table.\n${long}`],
      ['c.ts', 'x'],
    ]),
  )
  t.same(
    found.map(({ path, reason }) => [path, reason !== null]),
    [
      ['a.ts', false],
      ['b.ts', true],
    ],
  )
  t.same(importsOf('a/b.ts', "import './c.ts'"), [{ from: 'a/b.ts', target: 'a/c.ts', kind: 'run_time' }])
  t.end()
})

/** Tables, prompts and fixtures may be as long as they are. */
function isExempt(path: string): boolean {
  return /^(db\/migrations|clinical\/terminology\/tables|test\/fixtures)\//.test(path) || /\/prompts?[/.]/.test(path)
}

function filesOfTheHouse(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)))
}

function readAll(names: readonly string[]): Map<string, string> {
  return new Map(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
}
