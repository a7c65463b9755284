// Started by the first test process of a run: `node server-keeper.ts <data directory> <pid of the runner>`.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { embeddedHome } from '../../db/embedded/connection-file.ts'
import { isAlive, isServerOf, readPidFile } from '../../db/embedded/process-of.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { wait } from '../../platform/wait.ts'

// No run takes that long; should the runner's number go to another program, we end all the same.
const longestRunMs = 30 * 60_000
const longestFarewellMs = 30_000

const [dataDir = '', runner = ''] = process.argv.slice(2)
const start = () => startEmbedded({ dataDir, durability: 'disposable' })

let server = await start()
const giveUpAt = performance.now() + longestRunMs
// No signal reaches us when a process that is not our parent ends, so we look.
while (isAlive(Number(runner)) && performance.now() < giveUpAt) await wait(200)
await rm(join(dataDir, `keeper-${runner}`), { force: true })

// The files of a killed run may still be at work, and may then die without a word: we come back until all is quiet.
const leaveAt = performance.now() + longestFarewellMs
await server.close()
while ((await isRunning()) && performance.now() < leaveAt) {
  await wait(3_000)
  server = await start()
  await server.close()
}

async function isRunning(): Promise<boolean> {
  const cluster = join(embeddedHome(dataDir), 'cluster')
  const found = await readPidFile(cluster)
  return found !== null && (await isServerOf(found.pid, cluster))
}
