import { sql } from 'drizzle-orm'
import { test } from 'tap'
import { packagedTerminology } from '../../clinical/terminology/code-systems.ts'
import { searchWords } from '../../clinical/terminology/search-words.ts'
import { asActor, asService } from '../../db/actor.ts'
import type { Database } from '../../db/client.ts'
import { searchCodes, type SoughtWords } from '../../db/queries/terminology.ts'
import { importCodeSystem, loadTerminology, type CodeSystemContent } from '../../db/terminology.ts'
import { ask, ownerSql, refusal, signUp } from '../support/actors.ts'
import { testDatabase, testDatabaseWithTerminology } from '../support/postgres.ts'

const small = (changes: Partial<CodeSystemContent> = {}): CodeSystemContent => ({
  codeSystem: 'SMALL',
  title: 'A small system',
  version: '1',
  licence: 'none',
  attribution: 'made for a test',
  concepts: [
    {
      code: '1',
      display: 'First thing',
      synonyms: [{ domain: 'condition', term: 'First thing', words: 'first thing', isEquivalent: true }],
    },
  ],
  ...changes,
})
const packaged = (checksum: string, ...systems: CodeSystemContent[]) => ({
  checksum: () => checksum.repeat(64),
  read: () => systems,
})

test('the packaged systems come into a database once, with their terms of use, and the log tells of it', async (t) => {
  const { ownerUrl } = await testDatabaseWithTerminology(t)
  t.same(await loadTerminology(ownerUrl, packagedTerminology), [], 'a second time nothing is due')

  const owner = ownerSql(t, ownerUrl)
  const systems = await owner<{ name: string; concepts: number; wordings: number; terms: string }[]>`
    select code_system as name, licence || ' ' || attribution as terms,
      (select count(*)::int from terminology_concepts as concept where concept.code_system = system.code_system) as concepts,
      (select count(*)::int from terminology_synonyms as synonym where synonym.code_system = system.code_system) as wordings
    from terminology_systems as system
    order by code_system`
  t.same(
    systems.map(({ name }) => name),
    ['CVX', 'ICD-10-CM', 'LOINC', 'RxNorm', 'SNOMED'],
  )
  for (const { name, concepts, wordings, terms } of systems) {
    t.ok(concepts > 200 && wordings >= concepts, `${name}: ${concepts} concepts, ${wordings} wordings`)
    t.ok(terms.length > 20, `${name} says under which terms it may be used`)
  }
  const nameless = await owner`
    select from terminology_concepts as concept where not exists (
      select from terminology_synonyms as synonym
      where synonym.code_system = concept.code_system and synonym.code = concept.code and synonym.ordinal = 0)`
  t.equal(nameless.length, 0, 'each concept can be found by its display')
  const [logged] = await owner`
    select count(*)::int as rows from audit_log where table_name = 'terminology_systems' and operation = 'INSERT'`
  t.same(logged, { rows: 5 })
})

test('another release replaces what was packaged, and leaves what an operator has imported', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  const stored = () => owner`select code_system as name, version, origin from terminology_systems order by code_system`
  await loadTerminology(ownerUrl, packaged('a', small(), small({ codeSystem: 'OTHER' })))
  await importCodeSystem(ownerUrl, small({ codeSystem: 'OTHER', version: 'theirs' }), 'f'.repeat(64))
  t.same(await loadTerminology(ownerUrl, packaged('a', small(), small({ codeSystem: 'OTHER' }))), [])
  t.same(await loadTerminology(ownerUrl, packaged('b', small({ version: '2' }), small({ codeSystem: 'OTHER' }))), [
    'SMALL',
  ])
  t.same(await stored(), [
    { name: 'OTHER', version: 'theirs', origin: 'imported' },
    { name: 'SMALL', version: '2', origin: 'packaged' },
  ])
  t.same(await loadTerminology(ownerUrl, packaged('c', small({ codeSystem: 'OTHER' }))), [])
  t.equal((await stored()).length, 1, 'what is packaged no more goes with its concepts')
  t.same(await owner`select distinct code_system from terminology_synonyms`, [{ code_system: 'OTHER' }])
})

test('a load that fails leaves what there was', async (t) => {
  const { ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  await loadTerminology(ownerUrl, packaged('a', small()))
  const twice = small().concepts
  await t.rejects(loadTerminology(ownerUrl, packaged('b', small({ version: '2', concepts: [...twice, ...twice] }))))
  t.same(await owner`select version from terminology_systems`, [{ version: '1' }])
})

test('anybody signed in may read and search, nobody may write but who migrates', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  await loadTerminology(ownerUrl, packaged('a', small()))
  const person = await signUp(db)
  const sought = [{ words: 'first thing', domain: 'condition' }] as const
  for (const found of [
    await asActor(db, person.actor, (tx) => searchCodes(tx, sought)),
    await asService(db, {}, (tx) => searchCodes(tx, sought)),
  ]) {
    t.match(found, [[{ codeSystem: 'SMALL', code: '1', method: 'exact', isEquivalent: true }]])
  }
  t.equal((await ask(db, person.actor, sql`select from public.terminology_concepts`)).length, 1)
  const change = sql`update public.terminology_concepts set display = 'x'`
  t.equal(await refusal(asActor(db, person.actor, (tx) => tx.execute(change))), '42501')
  t.equal(await refusal(asService(db, {}, (tx) => tx.execute(change))), '42501')
})

const words = (text: string, domain: SoughtWords['domain'] = 'condition'): SoughtWords => ({
  words: searchWords(text),
  domain,
})
const search = (db: Database, ...sought: SoughtWords[]) => asService(db, {}, (tx) => searchCodes(tx, sought))

test('a search finds the same words, those among others, and those written alike, and says which', async (t) => {
  const { db, ownerUrl } = await testDatabaseWithTerminology(t)
  const found = await search(
    db,
    words('Atrophy of breast'),
    words('Fibrocystic mastopathy'),
    words('laceration of thigh'),
    words('Papillary carcinoma of the thyroid gland'),
    words('Penicillin', 'allergy'),
    words('Tylenol', 'medication'),
    words('Penicillin', 'immunization'),
    words('zzyzx'),
  )
  t.match(found[0]?.[0], {
    codeSystem: 'ICD-10-CM',
    display: 'Atrophy of breast',
    method: 'exact',
    score01: 1,
    isEquivalent: true,
  })
  t.match(
    found[1]?.[0],
    { method: 'synonym', isEquivalent: false },
    'what a code includes may be narrower than the code',
  )
  t.ok(found[2]?.every(({ method, isEquivalent }) => method === 'full_text' && !isEquivalent))
  t.ok(found[2]?.every(({ display }) => /laceration.*thigh/i.test(display)))
  t.match(found[3]?.[0], { display: 'Papillary thyroid carcinoma (disorder)', method: 'trigram', isEquivalent: false })
  t.match(found[4]?.[0], { codeSystem: 'SNOMED', display: 'Allergy to penicillin (finding)', isEquivalent: true })
  t.match(found[5]?.[0], { codeSystem: 'RxNorm', display: 'acetaminophen', method: 'synonym', isEquivalent: true })
  t.same(found[6], [], 'a medicine is no vaccine')
  t.same(found[7], [])
  t.ok(found.every((ofWords) => ofWords.length <= 5))
  for (const ofWords of found) {
    t.same(
      ofWords.map(({ score01 }) => score01).toSorted((a, b) => b - a),
      ofWords.map(({ score01 }) => score01),
    )
    t.ok(ofWords.every(({ score01 }) => score01 > 0 && score01 <= 1))
  }

  const sought = ['burn of first degree', 'acute embolism of lung', 'pain', 'osteoarthritis hand'].map((text) =>
    words(text),
  )
  const first = await search(db, ...sought)
  await ownerSql(t, ownerUrl)`reindex table public.terminology_synonyms`
  t.same(await search(db, ...sought), first, 'the same question has the same answer')
  t.same((await search(db, ...sought.toReversed())).toReversed(), first, 'whatever else is asked with it')
})

test('no search reads a table from end to end, whoever asks', async (t) => {
  const { db, ownerUrl } = await testDatabaseWithTerminology(t)
  const owner = ownerSql(t, ownerUrl)
  const person = await signUp(db)
  const [{ body } = { body: '' }] = await owner<{ body: string }[]>`
    select prosrc as body from pg_proc where proname = 'search_concepts'`
  const statement = body
    .replaceAll('p_words', `array['thigh laceration', 'abscess breast childbirth']`)
    .replaceAll('p_domains', `array['condition', 'condition']`)
    .replaceAll('p_most', '5')
  const explain = sql.raw(`explain (costs off) ${statement}`)
  for (const lines of [
    await asActor(db, person.actor, (tx) => tx.execute<{ 'QUERY PLAN': string }>(explain)),
    await asService(db, {}, (tx) => tx.execute<{ 'QUERY PLAN': string }>(explain)),
  ]) {
    const plan = lines.map((line) => line['QUERY PLAN']).join('\n')
    t.notMatch(plan, /Seq Scan on terminology/)
    for (const index of ['words_idx', 'full_text_idx', 'trigram_idx'])
      t.match(plan, new RegExp(`terminology_synonyms_${index}`), index)
  }
})
