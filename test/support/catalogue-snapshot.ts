import postgres from 'postgres'
import { catalogueQueries } from './catalogue-queries.ts'

/** What a database is, object by object: `table public.shell_files` and what the catalogue says of it. */
export type Snapshot = ReadonlyMap<string, string>

const ourSchemas = ['public', 'login', 'exora_internal', 'drizzle']

/**
 * Everything that the owner's objects are, as text that is the same for equal databases: neither the owner's name nor
 * oids nor the months of today are in it. What somebody else owns in these schemas is left out.
 */
export async function catalogueSnapshot(ownerUrl: string, schemas = ourSchemas): Promise<Snapshot> {
  const rows = await read(ownerUrl, async (tx) => {
    await tx.unsafe(catalogueQueries.preparation)
    const found: (readonly Row[])[] = []
    for (const query of catalogueQueries.objects) {
      found.push(await tx.unsafe<Row[]>(`with found (name, says) as (${query}) select * from found`, [schemas]))
    }
    return found.flat()
  })
  return toSnapshot(rows)
}

/** The rows that an installation brings with it, without the times and ids that it makes up. */
export async function seedSnapshot(ownerUrl: string): Promise<Snapshot> {
  const rows = await read(ownerUrl, async (tx) => {
    const tables = await tx.unsafe<{ name: string; made_up: string[] }[]>(catalogueQueries.seededTables)
    const found: (readonly Row[])[] = []
    for (const { name, made_up: madeUp } of tables) {
      const query = `select $2 || ' ' || (to_jsonb(seed) - $1::text[])::text as name, '' as says from ${name} as seed`
      found.push(await tx.unsafe<Row[]>(query, [madeUp, name]))
    }
    return found.flat()
  })
  return toSnapshot(rows)
}

/** What is different, one line for each object; empty when the databases are equal. */
export function differences(found: Snapshot, expected: Snapshot): string[] {
  const names = [...new Set([...found.keys(), ...expected.keys()])].toSorted()
  return names.flatMap((name) => {
    const [is, shouldBe] = [found.get(name), expected.get(name)]
    if (is === shouldBe) return []
    if (is === undefined) return [`${name} is missing: ${shouldBe}`]
    if (shouldBe === undefined) return [`${name} should not be there: ${is}`]
    return [`${name}\n  is:        ${is}\n  should be: ${shouldBe}`]
  })
}

type Row = { readonly name: string; readonly says: string }

async function read<T>(ownerUrl: string, work: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => {}, prepare: false })
  try {
    const taken = Promise.withResolvers<T>()
    // The functions of the preparation are gone with the transaction.
    await sql
      .begin(async (tx) => {
        await tx.unsafe(`set local search_path = ''; set local timezone = 'UTC'`)
        taken.resolve(await work(tx))
        throw rollback
      })
      .catch((error: unknown) => {
        if (error !== rollback) throw error
      })
    return await taken.promise
  } finally {
    await sql.end({ timeout: 5 })
  }
}

const rollback = new Error('only looked')

function toSnapshot(rows: readonly Row[]): Snapshot {
  const first = rows.flatMap(({ name, says }) => monthsIn(`${name} ${says}`)).reduce(earlier, Number.POSITIVE_INFINITY)
  const relative = (text: string) => text.replaceAll(month, (_text, ...parts) => `<month ${numberOf(parts) - first}>`)
  const snapshot = new Map(rows.map(({ name, says }) => [relative(name), relative(says)]))
  if (snapshot.size !== rows.length) throw new Error('two objects of the catalogue have one name')
  return snapshot
}

// Of partitions, in their names (_2026_11) and in their bounds ('2026-11-01 00:00:00').
const month = /(?<=_)(\d{4})_(\d{2})(?![\d])|(?<=')(\d{4})-(\d{2})(?=-01 00:00:00)/g
const monthsIn = (text: string) => [...text.matchAll(month)].map(([, ...parts]) => numberOf(parts))
const earlier = (a: number, b: number) => Math.min(a, b)

function numberOf(parts: readonly unknown[]): number {
  const [year, monthOfYear] = [parts[0] ?? parts[2], parts[1] ?? parts[3]]
  return Number(year) * 12 + Number(monthOfYear)
}
