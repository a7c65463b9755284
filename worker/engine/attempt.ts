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
  #abandon: ((reason: AppError) => void) | null = null

  constructor(job: ClaimedRow) {
    this.job = job
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
    this.#abandonSoon(reason)
  }

  /** Settles like the work, or a moment after the attempt has been aborted. */
  untilAborted<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#abandon = reject
      if (this.#reason !== null) this.#abandonSoon(this.#reason)
      work.then(resolve, reject)
    })
  }

  #abandonSoon(reason: AppError): void {
    setTimeout(() => this.#abandon?.(reason), windDownMs).unref()
  }
}
