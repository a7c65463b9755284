import { listenForStop } from '../../platform/stop-signal.ts'
import { wait } from '../../platform/wait.ts'
import type { Answer } from './answer.ts'

const everyMs = 2_000
const homeAndClear = '\u001b[H\u001b[2J'

/** Shows it again and again until Ctrl-C: in place on a terminal, one after the other elsewhere. */
export async function watch(look: () => Promise<Answer>, show: (answer: Answer) => void): Promise<void> {
  const { asked, dispose } = listenForStop()
  try {
    while (!asked.aborted) {
      const answer = await look()
      if (process.stdout.isTTY) process.stdout.write(homeAndClear)
      show(answer)
      await wait(everyMs, { signal: asked }).catch(() => {})
    }
  } finally {
    dispose()
  }
}
