import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { quantile, rounded } from '../queue/statistics.ts'

export type ListenersAsked = {
  readonly address: string
  readonly serverPid: number
  /** One stream each; `EVENT_STREAMS_PER_ACCOUNT` of the server has to let them in. */
  readonly tokens: readonly string[]
  /** How many of the streams are told of each event. */
  readonly expectedEach: number
  readonly events: number
  /** Makes one event `file` happen, an upload for instance; the clock runs from its call. */
  readonly happen: () => Promise<void>
}

export type ListenersMeasured = {
  readonly reachedAllMs: { readonly p50: number; readonly p99: number; readonly max: number }
  /** Of events at listeners; fewer or more than expected is a failure. */
  readonly reached: number
  readonly expected: number
  readonly rssGrowthMb: number
}

export type ListenTask = { readonly address: string; readonly tokens: readonly string[] }

const processes = 2
const betweenMs = 1_500
const patienceMs = 120_000
const script = fileURLToPath(new URL('./listeners-main.ts', import.meta.url))
const message = z.union([z.literal('listening'), z.object({ arrivals: z.array(z.array(z.number())) })])

/**
 * Streams of `GET /realtime` from processes of their own, so that their cost is not the server's; then events, and when
 * each arrived, by the clock that all processes of a machine share. RSS is what the server has grown by with all of it.
 */
export async function measureListeners(asked: ListenersAsked): Promise<ListenersMeasured> {
  const before = await rssMb(asked.serverPid)
  const children = Array.from({ length: processes }, (_, share) =>
    start({ address: asked.address, tokens: asked.tokens.filter((_token, index) => index % processes === share) }),
  )
  try {
    await Promise.all(children.map((child) => heard(child)))
    const happenedAt: number[] = []
    for (let event = 0; event < asked.events; event += 1) {
      happenedAt.push(nowMs())
      await asked.happen()
      await delay(betweenMs)
    }
    const arrivals = (await Promise.all(children.map((child) => arrivalsOf(child)))).flat()
    const waits = arrivals.flatMap((mine) => mine.map((at, event) => at - (happenedAt[event] ?? Number.NaN)))
    return {
      reachedAllMs: {
        p50: rounded(quantile(waits, 0.5), 1),
        p99: rounded(quantile(waits, 0.99), 1),
        max: rounded(quantile(waits, 1), 1),
      },
      reached: waits.length,
      expected: asked.expectedEach * asked.events,
      rssGrowthMb: rounded((await rssMb(asked.serverPid)) - before, 1),
    }
  } finally {
    for (const child of children) child.kill()
  }
}

const nowMs = () => Number(process.hrtime.bigint()) / 1e6

function start(task: ListenTask): ChildProcess {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  child.send(task)
  return child
}

async function arrivalsOf(child: ChildProcess): Promise<readonly (readonly number[])[]> {
  const answer = heard(child)
  child.send('tell')
  const said = await answer
  return said === 'listening' ? [] : said.arrivals
}

async function heard(child: ChildProcess): Promise<z.output<typeof message>> {
  const [said]: unknown[] = await Promise.race([
    once(child, 'message', { signal: AbortSignal.timeout(patienceMs) }),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the listeners ended with ${code}`))),
  ])
  return message.parse(said)
}

/** Linux alone tells it. */
async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1_024
}
