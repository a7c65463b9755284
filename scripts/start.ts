/** Server and worker in one process over the embedded database, or over DATABASE_URL. */
import { runMain } from '../platform/run-main.ts'
import { listenForStop } from '../platform/stop-signal.ts'
import { whenAborted } from '../platform/wait.ts'
import { startSystem } from './system.ts'

await runMain(async () => {
  const stop = listenForStop()
  const system = await startSystem(process.env, stop)
  console.log(`Exora is up: ${system.address}/docs (Ctrl-C stops it)`)
  await whenAborted(stop.asked)
  const failures = await system.stop(stop.insisted)
  if (failures.length > 0) process.exitCode = 1
})
