import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { shortPlan } from '../../scripts/soak/plan.ts'
import { runSoak } from '../../scripts/soak/run.ts'
import { scratchRoot } from '../support/scratch.ts'

t.setTimeout(280_000)

// `npm run soak` is the same for as long as one likes; each of its findings is a test of its own here.
void t.test('a thousand jobs through every kind of trouble: each ends, with its effect exactly once', async (test) => {
  const folder = mkdtempSync(join(scratchRoot(), 'exora-soak-'))
  test.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  // Another chaos at each run; the seed gives it again.
  const plan = shortPlan(Date.now() % 1_000_000)
  test.comment(`seed ${plan.seed}`)
  const { findings, figures } = await runSoak(plan, {
    folder,
    say: (line) => test.comment(line),
    signal: new AbortController().signal,
  })
  for (const { name, against } of findings) test.same(against.slice(0, 5), [], name)

  const valueOf = (name: string) => figures.find((figure) => figure.name === name)?.value ?? 0
  for (const trouble of [
    'workers killed',
    'workers killed by a job',
    'workers asked to stop',
    'workers frozen beyond their lease',
    'times that connections were cut',
    'restarts of the database, fast',
    'restarts of the database, immediate',
    'attempts taken from silent workers',
    'jobs cancelled',
    'finished jobs deleted',
    'calls to the provider',
  ])
    test.ok(valueOf(trouble) > 0, `${trouble}: ${valueOf(trouble)}`)
  test.ok(valueOf('jobs') >= 1_000)
})
