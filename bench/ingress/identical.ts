import { setTimeout as delay } from 'node:timers/promises'
import type { Question } from './question.ts'
import { atMost } from './question.ts'
import { sendUpload } from './send.ts'

const requests = 100
const mostTries = 60

/** The same upload a hundred times in the same instant, to two servers over one database and one store. */
export const identical: Question = {
  name: 'identical',
  asks: `${requests} identical requests at once over two servers: files, jobs, charges and answers`,
  async answer(bench) {
    const servers = await Promise.all([bench.start('exora'), bench.start('exora')])
    const [person] = bench.uploaders
    if (person === undefined) throw new Error('nobody may upload')
    const upload = { person, key: 'the one key', content: 'the same bytes' }
    const once = async (index: number) => {
      for (let tries = 1; ; tries += 1) {
        const address = servers[index % 2]?.address ?? ''
        const answer = await sendUpload(address, upload)
        if (answer.status !== 409 || tries === mostTries) return answer
        await delay(answer.retryAfterMs)
      }
    }
    const answers = await Promise.all(Array.from({ length: requests }, (_, index) => once(index)))
    const firsts = answers.filter(({ status, isReplay }) => status === 201 && !isReplay).length
    const replays = answers.filter(({ isReplay }) => isReplay).length
    const counts = {
      files: await bench.count('select count(*) from public.shell_files'),
      jobs: await bench.count('select count(*) from public.job_queue'),
      charges: await bench.count('select coalesce(sum(shell_files), 0) as count from public.usage_events'),
      objects: await bench.objects(),
    }
    await Promise.all(servers.map((server) => server.stop()))
    await bench.forget('exora')
    const beyondOne = Object.values(counts).reduce((sum, count) => sum + Math.abs(count - 1), 0)
    return {
      figures: [
        atMost('identical requests: files, jobs, charges and objects beyond one each', beyondOne, 0),
        atMost('identical requests: answers that are neither the first nor its replay', requests - firsts - replays, 0),
        atMost('identical requests: first answers beyond one', Math.abs(firsts - 1), 0),
      ],
      table: [{ requests, first: firsts, replays, ...counts }],
      details: {},
      plots: [],
    }
  },
}
