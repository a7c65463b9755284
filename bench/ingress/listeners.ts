import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { quantile, rounded } from '../statistics.ts'
import type { Question } from './question.ts'
import { atMost } from './question.ts'
import { residentMb } from './resident.ts'
import { sendUpload } from './send.ts'
import type { Uploader } from './servers.ts'

/** What a process of listeners is told: one stream for each token. */
export type ListenTask = { readonly address: string; readonly tokens: readonly string[] }

const accounts = 100
const streamsEach = 50
const events = 10
const processes = 2
const betweenMs = 1_500
const patienceMs = 120_000
const script = fileURLToPath(new URL('./listeners-main.ts', import.meta.url))
const message = z.union([z.literal('listening'), z.object({ arrivals: z.array(z.array(z.number())) })])
const offered = z.object({ id: z.uuid() })

/**
 * Streams of `GET /realtime` from processes of their own, so that their cost is not the server's. All of them may see the
 * documents of one person, who uploads; when each heard of it is told by the clock that all processes of a machine share.
 */
export const listeners: Question = {
  name: 'listeners',
  asks: `how soon ${accounts * streamsEach} streams of one server hear of an upload that all may see`,
  async answer(bench) {
    const server = await bench.start('exora')
    const [person, ...others] = bench.uploaders.slice(0, accounts)
    if (person === undefined) throw new Error('nobody may upload')
    for (const one of others) await share(server.address, person, one)
    const before = await residentMb(server.pid)
    const tokens = Array.from({ length: streamsEach }, () => [person, ...others].map(({ token }) => token)).flat()
    const children = Array.from({ length: processes }, (_, part) =>
      start({ address: server.address, tokens: tokens.filter((_token, index) => index % processes === part) }),
    )
    try {
      await Promise.all(children.map((child) => heard(child)))
      const happenedAt: number[] = []
      for (let event = 0; event < events; event += 1) {
        happenedAt.push(Number(process.hrtime.bigint()) / 1e6)
        await sendUpload(server.address, { person, key: randomUUID(), content: `event ${event}` })
        await delay(betweenMs)
      }
      const arrivals = (await Promise.all(children.map((child) => arrivalsOf(child)))).flat()
      const growthMb = rounded((await residentMb(server.pid)) - before, 1)
      return answerOf(arrivals, happenedAt, growthMb)
    } finally {
      for (const child of children) child.kill()
      await server.stop()
      await bench.forget('exora')
    }
  },
}

function answerOf(arrivals: readonly (readonly number[])[], happenedAt: readonly number[], growthMb: number) {
  const waits = arrivals.flatMap((mine) => mine.map((at, event) => at - (happenedAt[event] ?? Number.NaN)))
  const expected = accounts * streamsEach * events
  const lastMs = rounded(quantile(waits, 1), 0)
  return {
    figures: [
      atMost('5,000 streams hear of an event: the last of them, ms after the upload was sent', lastMs, 1_000),
      atMost('5,000 streams hear of an event: too few or too many', Math.abs(waits.length - expected), 0),
      // A socket with its buffers costs Node about as much, whatever is said on it.
      atMost('5,000 streams: RSS growth, MB', growthMb, 250),
    ],
    table: [
      {
        streams: accounts * streamsEach,
        events,
        p50_ms: rounded(quantile(waits, 0.5), 0),
        p99_ms: rounded(quantile(waits, 0.99), 0),
        last_ms: lastMs,
        rss_growth_mb: growthMb,
      },
    ],
    details: { accounts, streams_each: streamsEach },
    plots: [],
  }
}

async function share(address: string, by: Uploader, to: Uploader): Promise<void> {
  const access = `${address}/profiles/${by.profileId}/access`
  const json = { 'content-type': 'application/json' }
  const offer = await fetch(access, {
    method: 'POST',
    headers: { authorization: `Bearer ${by.token}`, ...json },
    body: JSON.stringify({ account_id: to.accountId, level: 'read_only' }),
  })
  const { id } = offered.parse(await offer.json())
  const accepted = await fetch(`${access}/${id}/accept`, {
    method: 'POST',
    headers: { authorization: `Bearer ${to.token}` },
  })
  if (!accepted.ok) throw new Error(`access was not accepted: ${accepted.status}`)
}

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
