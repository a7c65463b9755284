/** What the holder of an account is told, and the secret that goes with it. */
export type MailMessage = {
  readonly id: string
  readonly kind: string
  readonly email: string
  /** Null where the address is not known to be the holder's: a name may be anything. */
  readonly name: string | null
  /** Null where nothing is to be proven. */
  readonly token: string | null
  /** Of the secret. */
  readonly expiresAt: string | null
}

export type MailProvider = {
  /** Hands a message over, once. Null when it was taken, else a code: whoever asks owns the retries. */
  readonly send: (message: MailMessage, signal: AbortSignal) => Promise<string | null>
}
