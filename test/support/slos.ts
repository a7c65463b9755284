import type postgres from 'postgres'

export type Change = {
  readonly alert_id: string
  readonly alert_state: 'firing' | 'resolved'
  readonly slo: string
  readonly job_lane: string
}

/** What changes in the nth minute of a day that is made up: tests need not wait for minutes. */
export const evaluateMinute = (sql: postgres.ISql, minute: number) => sql<Change[]>`
  select alert_id, alert_state, slo, job_lane
  from public.evaluate_alerts('2026-01-01 00:00Z'::timestamptz + make_interval(mins => ${minute}))`

/** Some minutes, one after the other; what changed in each, as words. */
export async function evaluateMinutes(sql: postgres.ISql, from: number, to: number): Promise<readonly string[]> {
  const said: string[] = []
  for (let minute = from; minute <= to; minute += 1)
    for (const change of await evaluateMinute(sql, minute))
      said.push(`${minute}: ${change.slo} ${change.job_lane} ${change.alert_state}`)
  return said
}

export const setGoal = (owner: postgres.Sql, slo: string, goal: number) =>
  owner`update public.system_configuration set config_value = ${owner.json(goal)} where config_key = ${`slo.${slo}`}`
