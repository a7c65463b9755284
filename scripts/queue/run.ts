import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { ConfigurationError } from '../../platform/env.ts'
import { findInstallation } from '../installation.ts'
import type { Answer, QueueDeps } from './answer.ts'
import type { Command } from './command-line.ts'
import { showDeadLetters } from './dead-letters.ts'
import { cancelJobs, retryAll, retryJobs } from './jobs.ts'
import { pause, resume } from './lanes.ts'
import { showStats } from './stats.ts'
import { watch } from './watch.ts'
import { showWorkers } from './workers.ts'

const session = { connection: { application_name: 'exora-queue' } }

/** Opens the database, does it, and shows what came of it. */
export async function runCommand(command: Command, output: 'text' | 'json'): Promise<void> {
  const { url, close } = await findInstallation(process.env)
  const sql = postgres(url, { ...session, max: 1, prepare: false, onnotice: () => {} })
  const deps = { sql, correlationId: `queue-${randomUUID()}` }
  const show = ({ lines, json, exitCode }: Answer) => {
    if (output === 'json') console.log(JSON.stringify(json))
    else for (const line of lines) console.log(line)
    process.exitCode = exitCode
  }
  try {
    if (command.name === 'stats' && command.mode === 'watch') await watch(() => showStats(deps), show)
    else show(await answerTo(command, deps))
  } catch (error) {
    throw inWords(error)
  } finally {
    await sql.end({ timeout: 5 })
    await close()
  }
}

export function answerTo(command: Command, deps: QueueDeps): Promise<Answer> {
  switch (command.name) {
    case 'stats':
      return showStats(deps)
    case 'workers':
      return showWorkers(deps)
    case 'dead-letters':
      return showDeadLetters(deps, command.filter, command.limit)
    case 'retry':
      return retryJobs(deps, command.ids)
    case 'retry-all':
      return retryAll(deps, command.filter)
    case 'cancel':
      return cancelJobs(deps, command.ids)
    case 'pause':
      return pause(deps, command.lane, command.reason)
    default:
      return resume(deps, command.lane)
  }
}

/** What the database says when it is not ours, or not for this login. */
function inWords(error: unknown): unknown {
  switch (error instanceof postgres.PostgresError ? error.code : '') {
    case '42P01':
    case '42883':
      return new ConfigurationError('This database is not as this version needs it: npm run db:migrate, or npm start.')
    case '42501':
      return new ConfigurationError('This login may not act as the service: use that of the server, or the owner’s.')
    default:
      return error
  }
}
