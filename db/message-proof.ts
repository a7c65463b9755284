import { createHash } from 'node:crypto'

/**
 * What is kept of a secret that was mailed: its hash, together with what it is for. That of a reset is as better-auth
 * looks for it (`storeIdentifier: 'hashed'`); that of a new address holds the address.
 */
export const resetProof = (token: string): string => hashOf(`reset-password:${token}`)
export const addressProof = (email: string, token: string): string => hashOf(`email-change:${email}:${token}`)

const hashOf = (text: string) => createHash('sha256').update(text).digest('base64url')
