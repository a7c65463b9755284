/**
 * Code systems in the database, for its search. They are reference data: the same in every installation of a release, and
 * nobody's. Loading is no part of `migrate`, as databases without it are whole: a search there finds nothing.
 */
import postgres from 'postgres'
import type { TerminologySystem, terminologySynonyms } from './schema/terminology.ts'

export type ConceptContent = {
  readonly code: string
  readonly display: string
  /** The first is the display's. */
  readonly synonyms: readonly Wording[]
}

export type Wording = Pick<typeof terminologySynonyms.$inferSelect, 'domain' | 'term' | 'words' | 'isEquivalent'>

export type CodeSystemContent = Pick<
  TerminologySystem,
  'codeSystem' | 'title' | 'version' | 'licence' | 'attribution'
> & {
  readonly concepts: readonly ConceptContent[]
}

export type PackagedTerminology = {
  /** sha256 of everything that `read` depends on. */
  readonly checksum: () => string
  readonly read: () => readonly CodeSystemContent[]
}

const loadLock = 7_306_005

/**
 * Loads, as the owner, the packaged systems that are not what the release has, in one transaction: readers see the old
 * ones until it ends. What an operator has imported under the same name stays. Returns the names of what was loaded.
 */
export async function loadTerminology(ownerUrl: string, packaged: PackagedTerminology): Promise<readonly string[]> {
  const checksum = packaged.checksum()
  return await asOwner(ownerUrl, async (tx) => {
    const known = await tx<{ codeSystem: string; origin: string; checksum: string }[]>`
      select code_system as "codeSystem", origin, checksum from public.terminology_systems`
    const packagedNow = known.filter(({ origin }) => origin === 'packaged')
    if (packagedNow.length > 0 && packagedNow.every((system) => system.checksum === checksum)) return []
    await tx`delete from public.terminology_systems where origin = 'packaged'`
    const imported = new Set(known.filter(({ origin }) => origin === 'imported').map(({ codeSystem }) => codeSystem))
    const systems = packaged.read().filter(({ codeSystem }) => !imported.has(codeSystem))
    for (const system of systems) await insertSystem(tx, system, { origin: 'packaged', checksum })
    await tx.unsafe(settleIndexes).simple()
    return systems.map(({ codeSystem }) => codeSystem)
  })
}

/** Puts a system of an operator's own in place of what there is of its name, packaged or imported. */
export async function importCodeSystem(ownerUrl: string, system: CodeSystemContent, checksum: string): Promise<void> {
  await asOwner(ownerUrl, async (tx) => {
    await tx`delete from public.terminology_systems where code_system = ${system.codeSystem}`
    await insertSystem(tx, system, { origin: 'imported', checksum })
    await tx.unsafe(settleIndexes).simple()
  })
}

async function asOwner<T>(ownerUrl: string, work: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> {
  const sql = postgres(ownerUrl, {
    max: 1,
    prepare: false,
    onnotice: () => {},
    connection: { application_name: 'exora-terminology' },
  })
  try {
    const { done } = await sql.begin(async (tx) => {
      // Limits that a host has set for requests would end it; whoever else loads is waited for.
      await tx.unsafe(`set local statement_timeout = 0; set local lock_timeout = 0`).simple()
      await tx`select pg_advisory_xact_lock(${loadLock})`
      return { done: await work(tx) }
    })
    return done
  } finally {
    await sql.end({ timeout: 5 })
  }
}

// Else the first searches would go through what the indexes have not sorted in yet, with plans for empty tables.
const settleIndexes = `
  select gin_clean_pending_list('public.terminology_synonyms_full_text_idx');
  select gin_clean_pending_list('public.terminology_synonyms_trigram_idx');
  analyze public.terminology_concepts, public.terminology_synonyms;
`

type Provenance = Pick<TerminologySystem, 'origin' | 'checksum'>

async function insertSystem(
  tx: postgres.TransactionSql,
  { codeSystem, title, version, licence, attribution, concepts }: CodeSystemContent,
  { origin, checksum }: Provenance,
): Promise<void> {
  await tx`
    insert into public.terminology_systems (code_system, title, version, licence, attribution, origin, checksum)
    values (${codeSystem}, ${title}, ${version}, ${licence}, ${attribution}, ${origin}, ${checksum})`
  for (let from = 0; from < concepts.length; from += batchSize) {
    await insertConcepts(tx, codeSystem, concepts.slice(from, from + batchSize))
  }
}

// A few megabytes of JSON; COPY would be quicker, but is refused under row level security.
const batchSize = 10_000

async function insertConcepts(
  tx: postgres.TransactionSql,
  codeSystem: string,
  concepts: readonly ConceptContent[],
): Promise<void> {
  const rows = concepts.map(({ code, display }) => ({ code, display }))
  await tx`
    insert into public.terminology_concepts (code_system, code, display)
    select ${codeSystem}, row.code, row.display
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as row (code text, display text)`
  const synonyms = concepts.flatMap(({ code, synonyms: wordings }) =>
    wordings.map((wording, ordinal) => ({ code, ordinal, ...wording })),
  )
  await tx`
    insert into public.terminology_synonyms (code_system, code, ordinal, domain, term, words, is_equivalent)
    select ${codeSystem}, row.code, row.ordinal, row.domain, row.term, row.words, row."isEquivalent"
    from jsonb_to_recordset(${JSON.stringify(synonyms)}::text::jsonb)
      as row (code text, ordinal smallint, domain text, term text, words text, "isEquivalent" boolean)`
}
