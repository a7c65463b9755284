import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// Far above what any file takes. A child that hangs does not see that its parent has died; this ends it for certain.
const mostCpuSeconds = 1_800

/** A script of ours with a channel to us, and with nothing else of ours. */
export function startChild(script: URL): ChildProcess {
  const command = [process.execPath, '--max-old-space-size=1024', '--no-warnings', fileURLToPath(script)]
  const limited = ['/bin/sh', '-c', `ulimit -t ${mostCpuSeconds}; exec "$0" "$@"`, ...command]
  const [program = '', ...parameters] = process.platform === 'win32' ? command : limited
  const child = spawn(program, parameters, {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  })
  // Whoever waits for an answer hears of it; without a listener it would end this process.
  child.on('error', () => undefined)
  return child
}
