/**
 * Work that may hang, crash or eat memory runs in a child process of its own. The child is a script that calls
 * `serveParent`; parent and child take turns: the parent asks for the next answer, the child computes one and sends it,
 * so neither side piles anything up. The child gets no environment but PATH and where compiled code is kept, if it is:
 * nothing secret is in reach of a hostile file.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { flushCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'
import { defineError } from './errors.ts'
import { watchMemory } from './child-memory.ts'

export type ChildLimits = {
  /** For one answer, not for all of them. */
  readonly answerTimeoutMs: number
  readonly maxRssBytes: number
}

export const childTimedOut = defineError('child_timed_out', 500, 'This step took too long and was stopped.')
export const childTooLarge = defineError('child_too_large', 500, 'This step needed too much memory and was stopped.')
export const childCrashed = defineError('child_crashed', 500, 'This step ended unexpectedly.')

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
  const stopWatching = watchMemory(child, options.limits.maxRssBytes)
  try {
    let request: Request = { kind: 'start', task: options.task }
    for (;;) {
      const answer = await nextAnswer(child, request, options)
      if (answer.kind === 'end') return
      if (answer.kind === 'failed') throw childCrashed({ reason: answer.reason })
      yield answer.value
      request = { kind: 'next' }
    }
  } catch (error) {
    if (stopWatching.wasTooLarge()) throw childTooLarge({ cause: error })
    throw error
  } finally {
    stopWatching()
    child.kill('SIGKILL')
  }
}

/** For children with a single answer. */
export async function askChildOnce(options: ChildTask): Promise<unknown> {
  for await (const answer of askChild(options)) return answer
  throw childCrashed({ reason: 'no answer' })
}

type Request = { readonly kind: 'start'; readonly task: unknown } | { readonly kind: 'next' }
type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly reason: string }

function startChild(script: URL): ChildProcess {
  return fork(fileURLToPath(script), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    // Pictures lie outside of the heap and are freed with it: a young generation that is soon full keeps few of them.
    execArgv: ['--max-old-space-size=1024', '--max-semi-space-size=8', '--no-warnings'],
  })
}

async function nextAnswer(child: ChildProcess, request: Request, options: ChildTask): Promise<Answer> {
  const limit = AbortSignal.timeout(options.limits.answerTimeoutMs)
  const signal = AbortSignal.any([limit, options.signal])
  const settled = new AbortController()
  const race = { signal: AbortSignal.any([signal, settled.signal]) }
  try {
    const message = once(child, 'message', race)
    const exit = once(child, 'exit', race).then(([code]) => {
      throw childCrashed({ reason: `exit ${String(code)}` })
    })
    child.send(request, ignoreSendError)
    const [answer] = await Promise.race([message, exit])
    return isAnswer(answer) ? answer : { kind: 'failed', reason: 'not an answer' }
  } catch (error) {
    options.signal.throwIfAborted()
    if (limit.aborted) throw childTimedOut({ cause: error })
    throw error
  } finally {
    settled.abort()
  }
}

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
  const answer: Answer = { kind: 'failed', reason: error instanceof Error ? error.name : 'unknown' }
  process.send?.(answer)
}
