import type { ClaimedRow } from '../../db/queries/claims.ts'
import type { AppError } from '../../platform/errors.ts'

// A handler that respects its signal ends within this time; one that does not is left to itself, fenced off.
const windDownMs = 1_000

/** One attempt at a job in this process, from its claim until it is settled. */
export class Attempt {
  readonly job: ClaimedRow
  readonly claimedAt = performance.now()
  // Most attempts are never aborted and nobody asks for their signal: it is made when it is asked for.
  #controller: AbortController | null = null
  #reason: AppError | null = null
  readonly #abandoned = Promise.withResolvers<never>()

  constructor(job: ClaimedRow) {
    this.job = job
    this.#abandoned.promise.catch(() => {})
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#reason !== null) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Why it was aborted: what counts, whatever its handler throws then. */
  get reason(): AppError | null {
    return this.#reason
  }

  abort(reason: AppError): void {
    if (this.#reason !== null) return
    this.#reason = reason
    this.#controller?.abort(reason)
    setTimeout(() => this.#abandoned.reject(reason), windDownMs).unref()
  }

  /** Settles like the work, or a moment after the attempt has been aborted. */
  async untilAborted<T>(work: Promise<T>): Promise<T> {
    return await Promise.race([work, this.#abandoned.promise])
  }
}
