import { DrizzleQueryError } from 'drizzle-orm/errors'
import postgres from 'postgres'
import type { AppError } from '../../platform/errors.ts'

/** What the SQLSTATEs that our functions raise mean to one route; its argument is the DETAIL of the error. */
export type RaisedMeanings = Readonly<Record<string, (detail: string | null) => AppError>>

/** To be given to `catch`: throws the meaning of the state that a function raised, or the error as it came. */
export function raisedAs(meanings: RaisedMeanings): (error: unknown) => never {
  return (error) => {
    const cause = error instanceof DrizzleQueryError ? error.cause : error
    if (!(cause instanceof postgres.PostgresError)) throw error
    const meaning = meanings[cause.code]
    throw meaning === undefined ? error : meaning(cause.detail ?? null)
  }
}

/** The states of `raise … using errcode` in db/sql, by the names that PostgreSQL gives them. */
export const raised = {
  noDataFound: 'P0002',
  notInPrerequisiteState: '55000',
  insufficientPrivilege: '42501',
  uniqueViolation: '23505',
  planLimitReached: 'EX402',
  attemptTakenOver: 'EX409',
  changedMeanwhile: 'EX412',
  nothingToSeparate: 'EX411',
  tooManyOpen: 'EX429',
} as const
