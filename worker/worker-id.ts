import { randomBytes } from 'node:crypto'

/**
 * New at each start: the jobs of an earlier life under the same name are not ours, and what that life still says is not
 * taken for us.
 */
export const newWorkerId = (name: string): string => `${name}.${process.pid}.${randomBytes(3).toString('hex')}`
