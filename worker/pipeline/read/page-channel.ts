import { wait } from '../../../platform/wait.ts'

export type Batch = { readonly most: number; readonly waitMs: number }

type End = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: unknown }

/** Between those who read pages and who saves them: a few may lie there, and who brings more waits. */
export class Channel<T> {
  readonly #capacity: number
  readonly #lying: T[] = []
  #end: End | null = null
  #changed = Promise.withResolvers<void>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Resolves when there is room for the next. */
  async push(value: T): Promise<void> {
    this.#lying.push(value)
    this.#change()
    await this.#until(() => this.#lying.length < this.#capacity)
  }

  end(): void {
    this.#end ??= { kind: 'ended' }
    this.#change()
  }

  fail(error: unknown): void {
    this.#end ??= { kind: 'failed', error }
    this.#change()
  }

  /** Waits for one, then a moment for others; none: it has ended. Rejects when it failed and is empty. */
  async take({ most, waitMs }: Batch): Promise<T[]> {
    await this.#until(() => this.#lying.length > 0)
    if (waitMs > 0) await this.#untilFull(most, waitMs)
    const taken = this.#lying.splice(0, most)
    this.#change()
    if (taken.length === 0 && this.#end?.kind === 'failed') throw this.#end.error
    return taken
  }

  async #untilFull(most: number, waitMs: number): Promise<void> {
    const filled = new AbortController()
    const full = this.#until(() => this.#lying.length >= most || filled.signal.aborted)
    await Promise.race([full, wait(waitMs, { signal: filled.signal })])
    filled.abort()
    this.#change()
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && this.#end === null) await this.#changed.promise
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }
}
