import { sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import type { ConceptDomain } from '../schema/terminology.ts'

/** Words as `searchWords` folds them, and what a code is looked for. */
export type SoughtWords = { readonly words: string; readonly domain: ConceptDomain }

export type FoundCode = {
  readonly codeSystem: string
  readonly code: string
  readonly display: string
  readonly score01: number
  readonly method: 'exact' | 'synonym' | 'full_text' | 'trigram'
  /** The same words, of a wording that says what the code says. */
  readonly isEquivalent: boolean
}

/** Candidates for each of the words, best first, in one question however many they are. */
export async function searchCodes(tx: Tx, sought: readonly SoughtWords[]): Promise<readonly (readonly FoundCode[])[]> {
  if (sought.length === 0) return []
  const rows = await tx.execute<FoundCode & { place: number }>(sql`
    with sought as (
      select array_agg(row.words order by row.place) as words, array_agg(row.domain order by row.place) as domains
      from rows from (
        jsonb_to_recordset(${JSON.stringify(sought)}::text::jsonb) as (words text, domain text)
      ) with ordinality as row (words, domain, place)
    )
    select place, code_system as "codeSystem", code, display, score01, method, is_equivalent as "isEquivalent"
    from sought, public.search_concepts(sought.words, sought.domains) as found
    order by place, score01 desc, code_system collate "C", code collate "C"
  `)
  const byPlace = Map.groupBy(rows, ({ place }) => place)
  return sought.map((_, index) => (byPlace.get(index + 1) ?? []).map(({ place: _place, ...found }) => found))
}
