import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { test } from 'tap'
import { askChild, askChildOnce } from '../../platform/child.ts'
import { watchMemory } from '../../platform/child-memory.ts'
import { startChild } from '../../platform/child-start.ts'

const folder = await mkdtemp(join(tmpdir(), 'exora-child-'))
const signal = new AbortController().signal
const limits = { answerTimeoutMs: 30_000, maxRssBytes: 1_000_000_000 }
let scripts = 0

async function script(body: string): Promise<URL> {
  const path = join(folder, `${scripts++}.mjs`)
  const child = new URL('../../platform/child.ts', import.meta.url).href
  await writeFile(path, `import { serveParent } from '${child}'\nserveParent(async function* (task) { ${body} })\n`)
  return pathToFileURL(path)
}

const codeOf = async (body: string, own: Partial<typeof limits & { leastCpuMs: number }> = {}) => {
  const asked = askChildOnce({ script: await script(body), task: null, limits: { ...limits, ...own }, signal })
  return await asked.then(
    () => 'answered',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : String(error)),
  )
}

test('work in a child process', async (suite) => {
  suite.teardown(() => rm(folder, { recursive: true, force: true }))

  await suite.test('is answered in turn, with nothing of ours in reach', async (t) => {
    const counting = await script('for (let n = 1; n <= task; n++) yield n; yield Object.keys(process.env).length')
    const answers: unknown[] = []
    for await (const answer of askChild({ script: counting, task: 3, limits, signal })) answers.push(answer)
    t.same(answers.slice(0, 3), [1, 2, 3])
    // PATH, the compile cache, and what a shell and the channel add.
    t.ok(Number(answers[3]) <= 8, `${String(answers[3])} variables`)
  })

  await suite.test('that never ends is given up as its own fault', async (t) => {
    t.equal(await codeOf('for (;;) {}', { answerTimeoutMs: 1_500, leastCpuMs: 0 }), 'child_timed_out')
  })

  await suite.test('that got no processor is not', async (t) => {
    const waiting = 'await new Promise((resolve) => setTimeout(resolve, 1e6))'
    t.equal(await codeOf(waiting, { answerTimeoutMs: 100, leastCpuMs: 60_000 }), 'child_unavailable')
  })

  await suite.test('that eats memory outside of the heap is stopped', async (t) => {
    const eating = 'const all = []; for (;;) { all.push(Buffer.alloc(20e6, 1)); await new Promise(setImmediate) }'
    t.equal(await codeOf(eating, { maxRssBytes: 250_000_000 }), 'child_too_large')
  })

  await suite.test('that crashes, throws or says nonsense is its own fault', async (t) => {
    for (const body of ['process.abort()', 'process.exit(3)', 'throw new TypeError("x")', 'process.send("x")'])
      t.equal(await codeOf(body), 'child_crashed', body)
  })

  await suite.test('that was killed from outside, or found no disk, is tried again', async (t) => {
    for (const body of [
      'process.kill(process.pid, "SIGKILL")',
      'process.kill(process.pid, "SIGTERM"); await new Promise((resolve) => setTimeout(resolve, 1e6))',
      '(await import("node:fs")).readFileSync("/does/not/exist")',
    ])
      t.equal(await codeOf(body), 'child_unavailable', body)
    const killed = await script(
      'const all = Buffer.alloc(150e6, 1); yield all.length; await new Promise((resolve) => setTimeout(resolve, 500)); process.kill(process.pid, "SIGKILL")',
    )
    const asking = async () => {
      for await (const answer of askChild({
        script: killed,
        task: null,
        limits: { ...limits, maxRssBytes: 3e8 },
        signal,
      }))
        t.equal(answer, 150e6)
    }
    await t.rejects(asking(), { code: 'child_too_large' }, 'unless it was growing towards its limit')
  })

  await suite.test('ends with who asked for it', async (t) => {
    const leaving = new AbortController()
    const spinning = await script('yield process.pid; for (;;) {}')
    const asking = async () => {
      for await (const pid of askChild({ script: spinning, task: null, limits, signal: leaving.signal })) {
        t.type(pid, 'number')
        setImmediate(() => leaving.abort(new Error('the worker stops')))
      }
    }
    await t.rejects(asking(), { message: 'the worker stops' })
    const bounded = await script('yield (await import("node:fs")).readFileSync("/proc/self/limits", "utf8")')
    if (process.platform === 'linux')
      t.match(
        await askChildOnce({ script: bounded, task: null, limits, signal }),
        /Max cpu time +1800/,
        'or with its time',
      )
  })

  await suite.test('is stopped where all of it together holds too much: the largest, to be tried again', async (t) => {
    const holding = await script(
      'yield Buffer.alloc(task, 1).length; await new Promise((resolve) => setTimeout(resolve, 1e6))',
    )
    const [small, large] = [startChild(holding), startChild(holding)]
    const watches = [small, large].map((child) => watchMemory(child, 2e9, 300e6))
    t.teardown(() => {
      for (const watch of watches) watch()
      small.kill('SIGKILL')
    })
    const gone = once(large, 'exit')
    small.send({ kind: 'start', task: 1e6 })
    large.send({ kind: 'start', task: 400e6 })
    await gone
    t.same(
      watches.map((watch) => watch.verdict()),
      ['within', 'crowded_out'],
    )
  })
})
