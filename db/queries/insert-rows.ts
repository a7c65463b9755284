/**
 * Many rows in one statement with one parameter. Building a statement with a placeholder for each value took longer than
 * all else that pass 2 does with thousands of facts; this is a few times less work here, and no more for the server.
 */
import { getTableColumns, getTableName, sql, type SQL } from 'drizzle-orm'
import { toSnakeCase } from 'drizzle-orm/casing'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Tx } from '../actor.ts'

/** Rows of a table of `public`. What none of them names takes its default. */
export async function insertRows<Table extends PgTable>(
  tx: Tx,
  table: Table,
  rows: readonly Table['$inferInsert'][],
): Promise<void> {
  for (let from = 0; from < rows.length; from += batchSize) {
    await tx.execute(insertInto(table, rows.slice(from, from + batchSize)))
  }
}

// Some megabytes of JSON.
export const batchSize = 5_000

/** The statement alone, for whoever has something to add to it. At least one row. */
export function insertInto<Table extends PgTable>(table: Table, rows: readonly Table['$inferInsert'][]): SQL {
  const columns = sql.join(
    columnsOf(table, rows).map((name) => sql.identifier(name)),
    sql`, `,
  )
  const name = sql`public.${sql.identifier(getTableName(table))}`
  return sql`
    insert into ${name} (${columns})
    select ${columns} from jsonb_populate_recordset(null::${name}, ${jsonOf(rows)}::text::jsonb)`
}

/** In all rows or in none: one that is left out by some would be null there, and not what the table says. */
function columnsOf(table: PgTable, rows: readonly object[]): string[] {
  const given = new Map<string, number>()
  for (const row of rows) {
    for (const [key, value] of Object.entries(row)) if (value !== undefined) given.set(key, (given.get(key) ?? 0) + 1)
  }
  return Object.entries(getTableColumns(table)).flatMap(([key, column]) => {
    const count = given.get(key) ?? 0
    if (count > 0 && count < rows.length && column.hasDefault)
      throw new Error(`some rows name ${key}, whose default the others would lose`)
    return count === 0 ? [] : [toSnakeCase(key)]
  })
}

/** A half of a pair of surrogates, as JSON writes it; PostgreSQL takes none. */
const loneSurrogate = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g

export function jsonOf(rows: readonly object[]): string {
  const json = JSON.stringify(rows.map(withColumnNames))
  return json.includes(String.raw`\ud`) ? json.replaceAll(loneSurrogate, '$1\uFFFD') : json
}

const names = new Map<string, string>()

function withColumnNames(row: object): object {
  const named: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(row)) {
    const name = names.get(key) ?? toSnakeCase(key)
    names.set(key, name)
    named[name] = value
  }
  return named
}

/** One parameter however many ids there are. */
export const isAnyOf = (column: PgColumn, ids: readonly string[]): SQL =>
  sql`${column} = any(${`{${ids.join(',')}}`}::uuid[])`
