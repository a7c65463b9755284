import { parseArgs } from 'node:util'
import type { ParseArgsConfig } from 'node:util'
import { z } from 'zod'
import type { DeadLetterFilter } from './operations.ts'
import type { JobLane } from '../../db/schema/queue.ts'
import { jobs } from '../../jobs/index.ts'
import { commands, overview, usageOf } from './usage.ts'
import type { CommandName } from './usage.ts'

// From the jobs: the schema would load all of drizzle before anything can be said.
const jobLanes: readonly JobLane[] = [...new Set(Object.values(jobs).map((job) => job.lane))]

export type Command =
  | { readonly name: 'stats'; readonly mode: 'once' | 'watch' }
  | { readonly name: 'workers' }
  | { readonly name: 'dead-letters'; readonly filter: DeadLetterFilter; readonly limit: number }
  | { readonly name: 'retry'; readonly ids: readonly string[] }
  | { readonly name: 'retry-all'; readonly filter: DeadLetterFilter }
  | { readonly name: 'cancel'; readonly ids: readonly string[] }
  | { readonly name: 'pause'; readonly lane: JobLane; readonly reason: string | null }
  | { readonly name: 'resume'; readonly lane: JobLane }

export type Asked =
  | { readonly kind: 'run'; readonly command: Command; readonly output: 'text' | 'json' }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'wrong'; readonly problem: string; readonly usage: string }

/** What is wrong with what was asked, in words. */
class Misuse extends Error {
  override readonly name = 'Misuse'
}

const text = { type: 'string' } as const
const flag = { type: 'boolean' } as const
const kind = { type: text, code: text }
const optionsOf: Readonly<Record<CommandName, ParseArgsConfig['options'] & object>> = {
  stats: { watch: flag },
  workers: {},
  'dead-letters': { ...kind, limit: text },
  retry: { ...kind, all: { type: 'boolean', multiple: true }, yes: flag },
  cancel: {},
  pause: { reason: text },
  resume: {},
}

export function readCommandLine(args: readonly string[]): Asked {
  const [first = '', ...rest] = args
  if (first === '--help' || first === '-h' || first === 'help') return { kind: 'help', text: overview }
  const name = commands.find((known) => known === first)
  if (name === undefined) {
    return { kind: 'wrong', problem: first === '' ? 'Which command?' : `No such command: ${first}`, usage: overview }
  }
  try {
    return readCommand(name, rest)
  } catch (error) {
    if (!isMisuse(error)) throw error
    return { kind: 'wrong', problem: error.message, usage: usageOf(name) }
  }
}

function readCommand(name: CommandName, args: string[]): Asked {
  const { values, positionals } = parseArgs({
    args,
    options: { ...optionsOf[name], json: flag, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  })
  if (values['help'] === true) return { kind: 'help', text: usageOf(name) }
  const given = new Map<string, unknown>(Object.entries(values))
  return { kind: 'run', command: commandOf(name, given, positionals), output: given.has('json') ? 'json' : 'text' }
}

type Given = ReadonlyMap<string, unknown>

function commandOf(name: CommandName, given: Given, words: readonly string[]): Command {
  switch (name) {
    case 'stats':
      expectNothing(words)
      return { name, mode: given.has('watch') ? 'watch' : 'once' }
    case 'workers':
      expectNothing(words)
      return { name }
    case 'dead-letters':
      expectNothing(words)
      return { name, filter: filterOf(given), limit: limitOf(given.get('limit')) }
    case 'retry':
      return given.has('all') ? retryAllOf(given, words) : retryOf(given, words)
    case 'cancel':
      return { name, ids: idsOf(words) }
    case 'pause':
      return { name, lane: laneOf(words), reason: reasonOf(given.get('reason')) }
    default:
      return { name, lane: laneOf(words) }
  }
}

function retryOf(given: Given, words: readonly string[]): Command {
  if (given.has('type') || given.has('code')) throw new Misuse('--type and --code go with --all, not with job ids')
  return { name: 'retry', ids: idsOf(words) }
}

function retryAllOf(given: Given, words: readonly string[]): Command {
  expectNothing(words)
  const filter = filterOf(given)
  const said = z.array(z.boolean()).parse(given.get('all')).length
  if (filter.jobType === null && filter.errorCode === null && said < 2 && !given.has('yes'))
    throw new Misuse('All dead letters, whatever they died of? Say which (--type, --code), or --all twice, or --yes.')
  return { name: 'retry-all', filter }
}

function filterOf(given: Given): DeadLetterFilter {
  const [jobType, errorCode] = [textOf(given.get('type')), textOf(given.get('code'))]
  if (jobType !== null && !(jobType in jobs))
    throw new Misuse(`No such job type: ${jobType}. There are ${Object.keys(jobs).join(', ')}.`)
  return { jobType, errorCode }
}

function limitOf(value: unknown): number {
  const limit = Number(textOf(value) ?? 20)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new Misuse('--limit is a number from 1 to 1000')
  return limit
}

function idsOf(words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new Misuse('Which jobs? Say their ids.')
  const wrong = words.find((word) => !z.guid().safeParse(word).success)
  if (wrong !== undefined) throw new Misuse(`Not the id of a job: ${wrong}`)
  return [...new Set(words.map((word) => word.toLowerCase()))]
}

function laneOf([word = '', ...more]: readonly string[]): JobLane {
  expectNothing(more)
  const lane = jobLanes.find((known) => known === word)
  if (lane === undefined)
    throw new Misuse(`${word === '' ? 'Which lane?' : `No such lane: ${word}.`} There are ${jobLanes.join(', ')}.`)
  return lane
}

function reasonOf(value: unknown): string | null {
  const reason = textOf(value)
  if (reason !== null && reason.length > 200) throw new Misuse('--reason has up to 200 characters')
  return reason
}

function expectNothing(words: readonly string[]): void {
  if (words[0] !== undefined) throw new Misuse(`What is this for: ${words[0]}`)
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : null

const isMisuse = (error: unknown): error is Error =>
  error instanceof Misuse ||
  (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
