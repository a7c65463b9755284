import { setTimeout as delay } from 'node:timers/promises'
import { randomUUID } from 'node:crypto'
import type { HttpProcess } from './servers.ts'
import type { Bench, Question } from './question.ts'
import { atMost } from './question.ts'
import { sendUpload } from './send.ts'

const kills = 20
const clients = 40
const distinctEach = 25

/**
 * Clients that upload what they have, each file under one key until it is answered, while their server is killed at
 * random moments and started again. In the end everything is there once.
 */
export const storm: Question = {
  name: 'storm',
  asks: `${clients * distinctEach} distinct uploads by ${clients} clients while their server is killed ${kills} times`,
  async answer(bench) {
    let server: HttpProcess = await bench.start('exora')
    let isOver = false
    let tries = 0
    const client = async (index: number) => {
      const person = bench.uploaders[index]
      if (person === undefined) throw new Error('nobody may upload')
      for (let file = 0; file < distinctEach; file += 1) {
        const upload = { person, key: randomUUID(), content: `${index} ${file}` }
        for (;;) {
          tries += 1
          const answer = await sendUpload(server.address, upload).catch(() => null)
          if (answer !== null && (answer.status === 201 || answer.status === 200)) break
          await delay(Math.min(answer?.retryAfterMs ?? 100, 2_000))
        }
        // The storm lasts as long as the kills do.
        await delay(isOver ? 0 : Math.random() * 400)
      }
    }
    const uploads = Promise.all(Array.from({ length: clients }, (_, index) => client(index)))
    for (let kill = 0; kill < kills; kill += 1) {
      await delay(100 + Math.random() * 600)
      await server.kill()
      server = await bench.start('exora')
    }
    isOver = true
    await uploads
    await server.stop()
    return await answerOf(bench, tries)
  },
}

async function answerOf(bench: Bench, tries: number) {
  const expected = clients * distinctEach
  const counts = {
    files: await bench.count('select count(*) from public.shell_files'),
    contents: await bench.count('select count(distinct (patient_id, sha256)) from public.shell_files'),
    jobs: await bench.count('select count(*) from public.job_queue'),
    charges: await bench.count('select coalesce(sum(shell_files), 0) as count from public.usage_events'),
  }
  const without = await bench.objects()
  await bench.forget('exora')
  const wrong = Object.values(counts).reduce((sum, count) => sum + Math.abs(count - expected), 0)
  return {
    figures: [atMost('storm of kills: files, contents, jobs and charges beside those that were sent', wrong, 0)],
    table: [{ sent: expected, tries, ...counts, objects_before_the_sweep: without }],
    details: { kills, clients },
    plots: [],
  }
}
