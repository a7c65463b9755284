import type postgres from 'postgres'

type RowOfTable = Readonly<Record<string, unknown>>

/** All rows of all tables that hold any. */
export async function rowsByTable(owner: postgres.Sql): Promise<Map<string, readonly RowOfTable[]>> {
  const tables = await owner<{ name: string }[]>`
    select class.oid::regclass::text as name from pg_class as class
    where relnamespace in ('public'::regnamespace, 'login'::regnamespace, 'auth'::regnamespace)
      and relkind in ('r', 'p') and not relispartition
    order by 1`
  const found = new Map<string, readonly RowOfTable[]>()
  for (const { name } of tables) {
    const rows = await owner.unsafe<{ row: RowOfTable }[]>(`select to_jsonb(held) as row from ${name} as held`)
    if (rows.length > 0)
      found.set(
        name,
        rows.map(({ row }) => row),
      )
  }
  return found
}

/** Rows that are no longer there, or not with the values that they had; columns may have come and gone. */
export function lostRows(
  before: ReadonlyMap<string, readonly RowOfTable[]>,
  after: ReadonlyMap<string, readonly RowOfTable[]>,
): string[] {
  return [...before].flatMap(([table, rows]) => {
    const present = after.get(table) ?? []
    const lost = rows.filter((row) => !present.some((candidate) => holdsStill(candidate, row)))
    return lost.map((row) => `${table} ${JSON.stringify(row)}`)
  })
}

function holdsStill(candidate: RowOfTable, row: RowOfTable): boolean {
  const common = Object.keys(row).filter((column) => column in candidate)
  return (
    common.length > 0 && common.every((column) => JSON.stringify(candidate[column]) === JSON.stringify(row[column]))
  )
}
