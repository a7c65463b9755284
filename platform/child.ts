/**
 * Work that may hang, crash or eat memory runs in a child process of its own. The child is a script that calls
 * `serveParent`; parent and child take turns: the parent asks for the next answer, the child computes one and sends it,
 * so neither side piles anything up. The child gets no environment but PATH and where compiled code is kept, if it is:
 * nothing secret is in reach of a hostile file.
 */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import { cpuMs, watchMemory } from './child-memory.ts'
import type { MemoryWatch } from './child-memory.ts'
import { startChild } from './child-start.ts'
import { AppError, defineError } from './errors.ts'

export type ChildLimits = {
  /** For one answer, not for all of them. */
  readonly answerTimeoutMs: number
  readonly maxRssBytes: number
  /** Less processor time than this within that time, and the machine was at fault; by default an eighth of it. */
  readonly leastCpuMs?: number
}

/** What the work itself did, and would do again. */
export const childTimedOut = defineError('child_timed_out', 500, 'This step took too long and was stopped.')
export const childTooLarge = defineError('child_too_large', 500, 'This step needed too much memory and was stopped.')
export const childCrashed = defineError('child_crashed', 500, 'This step ended unexpectedly.')
/** What happened to it: no process to be had, killed from outside, no processor time, no disk. */
export const childUnavailable = defineError('child_unavailable', 503, 'This step could not be done at the moment.')

export type ChildTask = {
  readonly script: URL
  readonly task: unknown
  readonly limits: ChildLimits
  readonly signal: AbortSignal
}

/** The child's answers in turn; leaving the loop early, an abort or a broken limit kills the child. */
export async function* askChild(options: ChildTask): AsyncGenerator<unknown, void, undefined> {
  options.signal.throwIfAborted()
  const child = startChild(options.script)
  const memory = watchMemory(child, options.limits.maxRssBytes)
  try {
    let request: Request = { kind: 'start', task: options.task }
    for (;;) {
      const answer = await nextAnswer(child, request, options)
      if (answer.kind === 'end') return
      if (answer.kind === 'failed') throw failureOf(answer)
      yield answer.value
      request = { kind: 'next' }
    }
  } catch (error) {
    throw error instanceof ChildExit ? exitError(error, memory, options.limits) : error
  } finally {
    memory()
    child.kill('SIGKILL')
  }
}

/** For children with a single answer. */
export async function askChildOnce(options: ChildTask): Promise<unknown> {
  for await (const answer of askChild(options)) return answer
  throw childCrashed({ reason: 'no answer' })
}

type Request = { readonly kind: 'start'; readonly task: unknown } | { readonly kind: 'next' }
type Failed = { readonly kind: 'failed'; readonly reason: string; readonly isOfSystem?: boolean }
type Answer = { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'end' } | Failed

class ChildExit extends Error {
  readonly exitCode: number | null
  readonly exitSignal: string | null
  constructor(code: number | null, signal: string | null) {
    super('the child ended')
    this.exitCode = code
    this.exitSignal = signal
  }
}

async function nextAnswer(child: ChildProcess, request: Request, options: ChildTask): Promise<Answer> {
  const limit = AbortSignal.timeout(options.limits.answerTimeoutMs)
  const signal = AbortSignal.any([limit, options.signal])
  const settled = new AbortController()
  const race = { signal: AbortSignal.any([signal, settled.signal]) }
  const cpuBefore = child.pid === undefined ? null : await cpuMs(child.pid)
  try {
    const message = once(child, 'message', race)
    const exit = once(child, 'exit', race).then(([code, by]: unknown[]) => {
      throw new ChildExit(typeof code === 'number' ? code : null, typeof by === 'string' ? by : null)
    })
    if (child.exitCode !== null || child.signalCode !== null) throw new ChildExit(child.exitCode, child.signalCode)
    child.send(request, ignoreSendError)
    const [answer] = await Promise.race([message, exit])
    return isAnswer(answer) ? answer : { kind: 'failed', reason: 'not an answer' }
  } catch (error) {
    options.signal.throwIfAborted()
    if (limit.aborted) throw await timeoutOf(child, cpuBefore ?? 0, options.limits, error)
    if (error instanceof ChildExit || error instanceof AppError) throw error
    throw childUnavailable({ cause: error })
  } finally {
    settled.abort()
  }
}

/** On a machine that has no time for it, a harmless file takes as long as a hostile one. */
async function timeoutOf(child: ChildProcess, before: number, limits: ChildLimits, cause: unknown): Promise<AppError> {
  const now = child.pid === undefined ? null : await cpuMs(child.pid)
  const isStarved = now !== null && now - before < (limits.leastCpuMs ?? limits.answerTimeoutMs / 8)
  return isStarved ? childUnavailable({ cause, reason: 'starved' }) : childTimedOut({ cause })
}

// Signals by which others end a process; those of crashes are its own doing.
const fromOutside: ReadonlySet<string> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGSTOP'])

function exitError(exit: ChildExit, memory: MemoryWatch, limits: ChildLimits): AppError {
  const details = { reason: `exit ${exit.exitSignal ?? exit.exitCode}` }
  // A system that ran out of memory kills whoever has most: a child that was half-way to its limit would have gone on.
  const isLarge = memory.verdict() === 'too_large' || memory.residentBytes() > limits.maxRssBytes / 2
  if (exit.exitSignal === 'SIGXCPU') return childTimedOut(details)
  if (exit.exitSignal === null || !fromOutside.has(exit.exitSignal)) return childCrashed(details)
  return isLarge && memory.verdict() !== 'crowded_out' ? childTooLarge(details) : childUnavailable(details)
}

const failureOf = ({ reason, isOfSystem }: Failed) =>
  isOfSystem === true ? childUnavailable({ reason }) : childCrashed({ reason })

// A child that died before it could be asked is reported by its exit.
function ignoreSendError(): void {}

function isAnswer(message: unknown): message is Answer {
  return typeof message === 'object' && message !== null && 'kind' in message
}

/** The child's side: answers the parent's requests with what `work` yields, then ends the process. */
export function serveParent(work: (task: unknown) => AsyncIterable<unknown>): void {
  let answers: AsyncIterator<unknown> | undefined
  process.on('message', (request: Request) => {
    if (request.kind === 'start') answers = work(request.task)[Symbol.asyncIterator]()
    void answers?.next().then(sendResult, sendFailure)
  })
  process.on('disconnect', () => process.exit(0))
}

function sendResult(result: IteratorResult<unknown>): void {
  const answer: Answer = result.done === true ? { kind: 'end' } : { kind: 'value', value: result.value }
  // After the last answer the parent ends this process without asking, and what was compiled would be lost.
  flushCompileCache()
  process.send?.(answer)
}

// Only the kind of error crosses over: messages of parsers quote the file.
function sendFailure(error: unknown): void {
  const reason = error instanceof Error ? error.name : 'unknown'
  const answer: Answer = { kind: 'failed', reason, isOfSystem: isSystemError(error) }
  process.send?.(answer)
}

/** Errors of the operating system have its codes (ENOSPC), those of Node and of parsers have names. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && 'code' in error && /^E[A-Z0-9]+$/.test(String(error.code))
}
