import postgres from 'postgres'
import { ratioFigure } from './figure.ts'
import type { Figure } from './figure.ts'

/** A page of each list, as the API asks for it; a view of the second name has no rule in it. */
export const timelineOf = (view: string) => `
  select * from ${view} where patient_id = $1 order by event_day desc nulls last, id limit 101`
export const documentsPage = `
  select * from public.shell_files where patient_id = $1 and deleted_at is null
  order by created_at desc nulls last, id desc nulls last limit 51`

type Pair = { readonly patient: string; readonly account: string }

const own = `select id as patient, account_owner_id as account from public.user_profiles`
const readers: Readonly<Record<string, string>> = {
  'a person, any record': `${own} where profile_type = 'self' order by random() limit 200`,
  'a person, full pages': `${own} where profile_type = 'self'
    and id in (select patient_id from public.shell_files group by patient_id having count(*) >= 51) order by random() limit 200`,
  'a guardian of five': `${own} where profile_type = 'child' order by random() limit 200`,
  'a delegate of thirty': `
    select profile_id as patient, account_id as account from public.profile_access_permissions
    where revoked_at is null order by random() limit 200`,
}

const limit = 1.15

/** As the user, under row level security, beside the superuser, above it; only the query is timed, prepared, its plan made. */
export async function measureReading(superuser: postgres.Sql, appUrl: string): Promise<Figure[]> {
  await makeBareView(superuser)
  const user = postgres(appUrl, { max: 1, onnotice: () => {}, connection: { plan_cache_mode: 'force_generic_plan' } })
  const queries = {
    timeline: { measured: timelineOf('public.patient_record'), baseline: timelineOf('bench.patient_record') },
    documents: { measured: documentsPage, baseline: documentsPage },
  }
  const figures: Figure[] = []
  for (const [reader, text] of Object.entries(readers)) {
    const pairs = await superuser.unsafe<Pair[]>(text)
    for (const [name, query] of Object.entries(queries)) {
      const samples = { measured: [] as number[], baseline: [] as number[] }
      for (const [round, pair] of [...pairs.slice(0, 20), ...pairs].entries()) {
        // Once before it counts, so that both find the pages in memory.
        await timed(superuser, null, query.baseline, pair)
        for (const side of round % 2 === 0 ? order : order.toReversed()) {
          const ms = await timed(
            side === 'measured' ? user : superuser,
            side === 'measured' ? pair.account : null,
            query[side],
            pair,
          )
          if (round >= 20) samples[side].push(ms)
        }
      }
      figures.push(ratioFigure(`${name}: ${reader}`, samples, limit))
      console.log(figures.at(-1))
    }
  }
  await user.end()
  return figures
}

const order = ['measured', 'baseline', 'baseline', 'measured'] as const

async function timed(sql: postgres.Sql, account: string | null, query: string, pair: Pair): Promise<number> {
  return await sql.begin(async (tx) => {
    const claims = JSON.stringify({ sub: account, role: 'authenticated' })
    await tx`select set_config('role', ${account === null ? 'none' : 'authenticated'}, true),
      set_config('request.jwt.claims', ${claims}, true)`
    const startedAt = performance.now()
    await tx.unsafe(query, [pair.patient], { prepare: true }).values()
    return performance.now() - startedAt
  })
}

async function makeBareView(superuser: postgres.Sql): Promise<void> {
  const [row] = await superuser`select pg_get_viewdef('public.patient_record'::regclass) as text`
  const text = String(row?.['text'])
  // The rule stands last: what is before it closes with one parenthesis.
  const bare = text.replace(/\s+AND \(\(event\.patient_id = ANY[\s\S]*$/, ')')
  if (bare === text || bare.includes('acting_as_service')) throw new Error('the rule was not found in the view')
  await superuser.unsafe(`create schema bench; create view bench.patient_record with (security_barrier) as ${bare}`)
}
