import { createHash, randomBytes } from 'node:crypto'
import type { PasswordHashing } from '../../server/routes/auth/embedded-accounts.ts'

const digest = (salt: string, password: string) => createHash('sha256').update(`${salt} ${password}`).digest('hex')

/** For tests of what happens around passwords: hashing them as they are kept takes a tenth of a second each time. */
export const cheapHashing: PasswordHashing = {
  hash: async (password) => {
    const salt = randomBytes(8).toString('hex')
    return `${salt}:${digest(salt, password)}`
  },
  verify: async ({ hash, password }) => {
    const [salt = '', kept] = hash.split(':')
    return kept === digest(salt, password)
  },
}
