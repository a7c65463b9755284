// Started by the first test process of a run: `node server-keeper.ts <data directory> <pid of the runner>`.
import { isAlive } from '../../db/embedded/process-of.ts'
import { startEmbedded } from '../../db/embedded/start.ts'
import { wait } from '../../platform/wait.ts'

const [dataDir = '', runner = ''] = process.argv.slice(2)
const server = await startEmbedded({ dataDir, durability: 'disposable' })
// No signal reaches us when a process that is not our parent ends, so we look.
while (isAlive(Number(runner))) await wait(200)
await server.close()
