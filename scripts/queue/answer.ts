import type postgres from 'postgres'

/** What a command has to say, to people and to machines. */
export type Answer = {
  readonly lines: readonly string[]
  readonly json: unknown
  /** 1: there was nothing to do, or nothing by that name. */
  readonly exitCode: 0 | 1
}

export type QueueDeps = {
  readonly sql: postgres.Sql
  /** One for all that a command does: its rows in the audit are found by it. */
  readonly correlationId: string
}

/** A transaction of its own, as the service: whoever has the login of the database operates it. */
export async function operate<T>(
  { sql, correlationId }: QueueDeps,
  work: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  const { answer } = await sql.begin(async (tx) => {
    await tx`
      select
        set_config('role', 'service_role', true),
        set_config('exora.correlation_id', ${correlationId}, true)`
    return { answer: await work(tx) }
  })
  return answer
}
