import { accountOf } from './resources/account.ts'
import type { AccountOfCaller } from './resources/account.ts'
import { factsOf } from './resources/facts.ts'
import type { Facts } from './resources/facts.ts'
import { documentsOf } from './resources/documents.ts'
import type { Documents } from './resources/documents.ts'
import { exportsOf } from './resources/exports.ts'
import type { Exports } from './resources/exports.ts'
import { profilesOf } from './resources/profiles.ts'
import type { Profiles } from './resources/profiles.ts'
import { signingInOf } from './resources/sign-in.ts'
import type { SigningIn } from './resources/sign-in.ts'
import { usageOf } from './resources/usage.ts'
import type { Usage } from './resources/usage.ts'
import { usualRetries } from './retries.ts'
import type { RetryPolicy } from './retries.ts'
import { fixedToken, noTokens, tokensFrom } from './tokens.ts'
import type { GetToken, Tokens } from './tokens.ts'
import { followAccount } from './streams/account-events.ts'
import type { FollowOptions } from './streams/follow.ts'
import { createTransport } from './transport.ts'
import type { RealtimeEvent } from './types.ts'
import { createUploads } from './uploads/upload.ts'
import type { ResumableChoice } from './uploads/upload.ts'

export type ClientOptions = Credentials & {
  /** Of the API, with or without a path: `https://api.example.org`. */
  readonly baseUrl: string
  /** The platform's, if left out. */
  readonly fetch?: typeof globalThis.fetch
  readonly retries?: Partial<RetryPolicy>
  readonly resumable?: Partial<ResumableChoice>
}
/** One token, or whoever can give a new one when the server refuses it; neither: only signing in. */
export type Credentials =
  | { readonly token: string; readonly getToken?: never }
  | { readonly getToken: GetToken; readonly token?: never }
  | { readonly token?: never; readonly getToken?: never }

export type Client = {
  readonly auth: SigningIn
  readonly account: AccountOfCaller
  readonly documents: Documents
  /** What people say of facts. */
  readonly facts: Facts
  readonly exports: Exports
  readonly profiles: Profiles
  readonly usage: Usage
  /** What happens to all documents that the account may read, and its notifications, as it happens. */
  readonly follow: (options?: FollowOptions) => AsyncIterable<RealtimeEvent>
}

export function createClient(options: ClientOptions): Client {
  const { baseUrl } = options
  // Called as a method of something else, the browser's fetch refuses.
  const fetch = options.fetch ?? ((...request: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...request))
  const retries = { ...usualRetries, ...options.retries }
  const transport = createTransport({ baseUrl, fetch, retries, tokens: tokensOf(options) })
  return {
    auth: signingInOf(createTransport({ baseUrl, fetch, retries, tokens: noTokens })),
    account: accountOf(transport),
    documents: documentsOf(transport, createUploads(transport, options.resumable)),
    facts: factsOf(transport),
    exports: exportsOf(transport),
    profiles: profilesOf(transport),
    usage: usageOf(transport),
    follow: (wanted) => followAccount(transport, wanted),
  }
}

function tokensOf({ token, getToken }: Credentials): Tokens {
  if (getToken !== undefined) return tokensFrom(getToken)
  return token === undefined ? noTokens : fixedToken(token)
}
