/** Looking after the queue: `npm run queue -- stats|workers|dead-letters|retry|cancel|pause|resume`; `--help` says how. */
import { runMain } from '../platform/run-main.ts'
import { readCommandLine } from './queue/command-line.ts'

const asked = readCommandLine(process.argv.slice(2))

if (asked.kind === 'help') console.log(asked.text)
else if (asked.kind === 'wrong') {
  console.error(`${asked.problem}\n\n${asked.usage}`)
  process.exitCode = 2
} else {
  await runMain(async () => {
    // Loaded when it is needed: what is asked wrongly is answered at once.
    const { runCommand } = await import('./queue/run.ts')
    await runCommand(asked.command, asked.output)
  })
}
