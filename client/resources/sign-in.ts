import type { Call, CallOptions, Transport } from '../transport.ts'
import type { SecondFactor, SecondFactorNeeded, Session, SignedIn, SignIn, SignUp } from '../types.ts'

/** Accounts of the server's own; where an outside issuer vouches for tokens these routes are not there. */
export type SigningIn = {
  readonly signUp: (person: SignUp, options?: CallOptions) => Promise<SignedIn>
  /** A challenge instead of a session where a second factor is on. */
  readonly signIn: (person: SignIn, options?: CallOptions) => Promise<SignedIn | SecondFactorNeeded>
  readonly secondFactor: (answer: SecondFactor, options?: CallOptions) => Promise<SignedIn>
  /** A token for the API, good for minutes, in return for the session that signing in gave. */
  readonly token: (session: string, options?: CallOptions) => Promise<string>
  readonly session: (session: string, options?: CallOptions) => Promise<Session>
  readonly signOut: (session: string, options?: CallOptions) => Promise<void>
}

/** Sessions go where tokens go elsewhere, so these requests are made by a transport that has no tokens. */
export function signingInOf({ ask, json }: Transport): SigningIn {
  return {
    signUp: (person, options) => json({ method: 'POST', path: '/auth/sign-up/email', json: person, ...options }),
    signIn: (person, options) =>
      json({ method: 'POST', path: '/auth/sign-in/email', json: person, repeat: 'always', ...options }),
    // A code serves once: sent again it would be refused.
    secondFactor: (answer, options) =>
      json({ method: 'POST', path: '/auth/sign-in/two-factor', json: answer, ...options }),
    token: async (session, options) =>
      (await json<{ token: string }>({ method: 'GET', path: '/auth/token', ...asSession(session), ...options })).token,
    session: (session, options) =>
      json({ method: 'GET', path: '/auth/get-session', ...asSession(session), ...options }),
    signOut: async (session, options) => {
      await ask({ method: 'POST', path: '/auth/sign-out', ...asSession(session), ...options })
    },
  }
}

const asSession = (session: string): Pick<Call, 'headers'> => ({ headers: { authorization: `Bearer ${session}` } })
