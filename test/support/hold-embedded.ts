// A process that uses the embedded database until its standard input ends: `node hold-embedded.ts <data directory>`.
// It survives SIGINT, so that a test can see what Ctrl-C does to the server.
import { once } from 'node:events'
import { startEmbedded } from '../../db/embedded/start.ts'

process.on('SIGINT', () => process.stdout.write('interrupted\n'))
const database = await startEmbedded({ dataDir: process.argv[2] ?? '' })
process.stdout.write(`${JSON.stringify(database.urls)}\n`)
await once(process.stdin.resume(), 'end')
await database.close()
process.exitCode = 0
