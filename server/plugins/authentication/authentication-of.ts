import type { ServerDeps } from '../../types.ts'
import { createPresenceCheck, createProvisioning } from './account-provisioning.ts'
import type { Authentication } from './authentication.ts'
import { createTokenVerifier } from './token-verifier.ts'

/** Embedded accounts get their profile when they sign up; those from outside when they are first seen. */
export function authenticationOf(deps: ServerDeps): Authentication {
  const { config, accounts, db } = deps
  return {
    verify: createTokenVerifier(config.auth, accounts?.keys ?? null),
    provision: config.auth.kind === 'embedded' ? createPresenceCheck(db) : createProvisioning(db),
  }
}
