import { writeFile } from 'node:fs/promises'
import { rounded } from '../statistics.ts'
import { uploadFor } from './load.ts'
import type { Question } from './question.ts'
import { atMost } from './question.ts'
import { residentMb } from './resident.ts'

const atOnce = 5
const bytes = 49_900_000

/** What the server's memory grows by while five files of nearly 50 MB come in at once, again and again. */
export const memory: Question = {
  name: 'memory',
  asks: `RSS while ${atOnce} uploads of 50 MB are under way, MB`,
  async answer(bench) {
    const server = await bench.start('exora')
    const people = bench.uploaders.slice(0, atOnce)
    // Code is compiled and pools are open before it counts.
    await uploadFor({ address: server.address, people, bytes: 50_000, warmUpSeconds: 1, seconds: 3 })
    const before = await residentMb(server.pid)
    await writeFile(`/proc/${server.pid}/clear_refs`, '5')
    await uploadFor({ address: server.address, people, bytes, warmUpSeconds: 0, seconds: 10 })
    const peak = await residentMb(server.pid, 'VmHWM')
    await server.stop()
    await bench.forget('exora')
    return {
      figures: [atMost('RSS growth by five uploads of 50 MB, MB', rounded(peak - before, 1), 40)],
      table: [{ before_mb: rounded(before, 1), peak_mb: rounded(peak, 1) }],
      details: { at_once: atOnce, bytes },
      plots: [],
    }
  },
}
