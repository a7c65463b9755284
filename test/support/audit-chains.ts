import type postgres from 'postgres'

/** What `verify_audit_log` finds, chain by chain. */
export const verifyChains = (owner: postgres.ISql) =>
  owner<{ partition: string; rows: number; unsealed: number; first_broken: string | null }[]>`
    select partition, rows::int, unsealed::int, first_broken from verify_audit_log()`
