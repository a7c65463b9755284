import postgres from 'postgres'
import { wait } from '../platform/wait.ts'

type Tx = postgres.TransactionSql
export type Work = (tx: Tx) => unknown

/**
 * Stands between the work of one transaction and the driver.
 *
 * waiting → open → ended (the driver commits or rolls back); or → lost with the connection, which the work does not
 * know yet.
 *
 * Relied upon: a statement is a promise with a `handler`, called once to send it, and a `reject`.
 */
export class TransactionFence {
  #state: 'waiting' | 'open' | 'ended' | 'lost' = 'waiting'
  // Of a statement that had no answer from the server: either the connection is going, or all will be rolled back.
  #doubt: unknown = null
  readonly #unanswered = new Set<Statement>()
  readonly #lost = Promise.withResolvers<never>()

  constructor() {
    // Not everybody waits for it.
    this.#lost.promise.catch(() => {})
  }

  /** Settles like the work, but never once the connection is lost: the driver would send a ROLLBACK or COMMIT. */
  async run(tx: Tx, work: Work): Promise<unknown> {
    if (this.#state === 'waiting') this.#state = 'open'
    try {
      return await this.#settle(tx, work)
    } finally {
      this.#state = 'ended'
    }
  }

  /** The connection is gone, or another's from now on. What has no answer yet gets one. */
  close(): void {
    if (this.#state !== 'ended') this.#state = 'lost'
    this.#lost.reject(connectionLost())
    for (const statement of this.#unanswered) statement.reject(connectionLost())
  }

  /** Sees that a statement is answered even if the driver forgets it. */
  track(made: unknown): Statement {
    if (!isStatement(made)) throw new TypeError('this driver makes statements that cannot be fenced')
    const send = made.handler
    made.handler = (statement) => {
      this.#unanswered.add(statement)
      return send(statement)
    }
    // Not `made.then`, which would send it. First in line, hence before the work can react to a failure.
    void Promise.prototype.then.call(
      made,
      () => this.#unanswered.delete(made),
      (error: unknown) => {
        this.#unanswered.delete(made)
        if (!isAnswer(error)) this.#doubt ??= error
      },
    )
    return made
  }

  async #settle(tx: Tx, work: Work): Promise<unknown> {
    try {
      const given = work(this.#enclose(tx))
      const result: unknown = await (Array.isArray(given) ? Promise.all(given) : given)
      // Whatever the work made of it: what was refused since then is missing.
      if (this.#doubt !== null) throw this.#doubt
      return result
    } catch (error) {
      await lossWouldShow()
      throw error
    } finally {
      if (this.#state === 'lost') await new Promise<never>(() => {})
    }
  }

  #enclose(tx: Tx): Tx {
    return new Proxy(tx, {
      apply: (target, self, args): unknown => this.#guard(Reflect.apply(target, self, args)),
      get: (target, name): unknown => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        if (name === 'savepoint') return (...args: unknown[]) => this.#savepoint(member, args)
        if (name !== 'unsafe' && name !== 'file') return member
        return (...args: unknown[]) => this.#guard(Reflect.apply(member, target, args))
      },
    })
  }

  /** Asked when a statement is sent, which may be long after it was made. */
  #guard(made: unknown): unknown {
    // A name or a list to be part of a statement.
    if (!(made instanceof Promise)) return made
    const statement = this.track(made)
    const send = statement.handler
    statement.handler = (self) => (this.#isOpen ? send(self) : self.reject(this.#refusal()))
    return statement
  }

  async #savepoint(savepoint: Function, args: readonly unknown[]): Promise<unknown> {
    if (!this.#isOpen) throw this.#refusal()
    const name = args.filter((arg) => typeof arg === 'string')
    const work = args.find((arg) => typeof arg === 'function')
    if (work === undefined) throw new TypeError('a savepoint needs work')
    const fenced = (tx: Tx) => this.#settle(tx, (inner) => Reflect.apply(work, undefined, [inner]))
    try {
      return await Promise.race([Reflect.apply(savepoint, undefined, [...name, fenced]), this.#lost.promise])
    } catch (error) {
      // The driver's own statements for it are not guarded.
      await lossWouldShow()
      throw error
    }
  }

  get #isOpen(): boolean {
    return this.#state === 'open' && this.#doubt === null
  }

  #refusal(): Error {
    if (this.#state === 'ended') return new Error('the transaction has ended')
    return this.#doubt instanceof Error ? this.#doubt : connectionLost()
  }
}

/**
 * A failed statement may be heard before the loss of its connection: after a reset the socket says 'error', and 'close'
 * at the end of the same turn of the event loop, or of the next.
 */
async function lossWouldShow(): Promise<void> {
  await wait(1)
  await wait(1)
}

/** A statement as the driver makes it, less what its types hide. */
type Statement = Promise<unknown> & {
  handler: (statement: Statement) => unknown
  reject: (error: Error) => void
}

function isStatement(made: unknown): made is Statement {
  return (
    made instanceof Promise &&
    'handler' in made &&
    typeof made.handler === 'function' &&
    'reject' in made &&
    typeof made.reject === 'function'
  )
}

const isAnswer = (error: unknown) => error instanceof postgres.PostgresError && error.severity !== 'FATAL'

/** The code is the driver's own, for those who look at it. */
export function connectionLost(cause?: unknown): Error {
  return Object.assign(new Error('the connection of the transaction was lost', { cause }), {
    code: 'CONNECTION_CLOSED',
  })
}
