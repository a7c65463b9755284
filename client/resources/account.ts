import type { CallOptions, Transport } from '../transport.ts'
import type { AccountClosure, AccountClosureAnswer } from '../types.ts'

export type AccountOfCaller = {
  /** After a waiting period; asking again is asking once. */
  readonly close: (options?: CallOptions) => Promise<AccountClosure>
  readonly cancelClosure: (options?: CallOptions) => Promise<AccountClosure>
  /** Null: never asked for. */
  readonly closure: (options?: CallOptions) => Promise<AccountClosure | null>
}

export function accountOf({ json }: Transport): AccountOfCaller {
  return {
    close: (options) => json({ method: 'POST', path: '/account/close', repeat: 'always', ...options }),
    cancelClosure: (options) => json({ method: 'POST', path: '/account/close/cancel', ...options }),
    closure: async (options) =>
      (await json<AccountClosureAnswer>({ method: 'GET', path: '/account/closure', ...options })).closure,
  }
}
