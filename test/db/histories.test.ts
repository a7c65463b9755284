import { sql } from 'drizzle-orm'
import { test } from 'tap'
import type { Database } from '../../db/client.ts'
import type { NewFact } from '../../db/queries/found-facts.ts'
import { ownerSql, serve, signUp, type Account } from '../support/actors.ts'
import { glucose, runPasses } from '../support/fact-decisions.ts'
import { makeFile, source, type File } from '../support/facts.ts'
import { testDatabase } from '../support/postgres.ts'
import { condition, dated, line, medicine, remove, restore } from '../support/printed-lines.ts'

/** xorshift: the same histories for the same seed, on every machine. */
function randomOf(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const names = ['Aspirin', 'aspirin', 'ASPIRIN']
const oneOf = <Of>(random: (below: number) => number, choices: readonly [Of, ...Of[]]): Of =>
  choices[random(choices.length)] ?? choices[0]

/** Facts that contradict, agree with and add to each other. */
function randomFact(random: (below: number) => number, row: number): Partial<NewFact> {
  const optional = <Of>(name: string, ...choices: readonly [Of, ...Of[]]) =>
    random(2) === 0 ? {} : { [name]: oneOf(random, choices) }
  const words = { factText: names[random(names.length)] ?? '' }
  const unsure = {
    sources: [
      source({ textStart: row * 100, y0: row / 50, y1: row / 50 + 0.005, confidence01: oneOf(random, [1, 1, 0.5]) }),
    ] as const,
  }
  switch (random(4)) {
    case 0:
      return medicine(row, words.factText, {
        ...unsure,
        ...optional('value', '100', '300'),
        detail: {
          ...optional('form', 'tablet', 'capsule'),
          ...optional('frequencyCode', '1/d', '2/d'),
          ...optional('dose', '1', '2'),
          ...optional('indication', 'pain', 'fever'),
        },
      })
    case 1:
      return condition(row, words.factText, {
        ...unsure,
        ...(random(2) === 0 ? {} : dated(oneOf(random, ['2015', '2015-03', '2015-04', '2016']), 'onset')),
        detail: { ...optional('severity', 'mild', 'severe'), ...optional('laterality', 'left') },
      })
    case 2:
      return {
        ...glucose(oneOf(random, ['5.1', '6']), oneOf(random, ['2021-02-03', '2021-02-04']), row * 100),
        ...optional('referenceRange', '3.9-6.1', '4-6'),
        detail: { ...optional('flag', 'H'), ...optional('panel', 'Lipids') },
      }
    default:
      return line(row, {
        factType: 'immunization',
        ...words,
        ...unsure,
        ...(random(2) === 0 ? {} : dated(oneOf(random, ['2020', '2020-05', '2020-05-01']), 'given')),
        detail: { ...optional('batch', 'A1', 'B2'), ...optional('site', 'left arm') },
      })
  }
}

const randomPage = (random: (below: number) => number) =>
  Array.from({ length: 1 + random(4) }, (_, row) => randomFact(random, row + 1))

type Kept = {
  readonly file: File
  readonly state: 'new' | 'used' | 'binned' | 'erased'
  readonly page: readonly Partial<NewFact>[]
}

/** All that the record says, with documents named by their place and without what is only an id or a time. */
async function whatIsSaid(db: Database, { profileId }: Account, files: readonly File[]): Promise<unknown> {
  const rows = await serve<{ said: unknown }>(
    db,
    sql`select to_jsonb(event) - '{id,patient_id,encounter_id,created_at,updated_at}'::text[] || jsonb_build_object(
          'spoke', coalesce(
            (select to_jsonb(s) from patient_medications as s where s.event_id = event.id),
            (select to_jsonb(s) from patient_conditions as s where s.event_id = event.id),
            (select to_jsonb(s) from patient_observations as s where s.event_id = event.id),
            (select to_jsonb(s) from patient_immunizations as s where s.event_id = event.id)
          ) - '{event_id,patient_id}'::text[],
          'said_by', (
            select jsonb_agg(fact.shell_file_id || ' ' || fact.finding_key order by fact.shell_file_id || ' ' || fact.finding_key)
            from entity_processing_audit_v2 as fact
            join shell_files as file on file.id = fact.shell_file_id and file.deleted_at is null
            where fact.event_id = event.id
          )
        ) as said
        from patient_clinical_events as event
        where event.patient_id = ${profileId} and event.withdrawn_at is null`,
  )
  const named = files.reduce(
    (text, file, place) => text.replaceAll(file.shellFileId, `file-${place}`),
    JSON.stringify(rows),
  )
  return (JSON.parse(named) as readonly { said: { said_by: string[] } }[])
    .map(({ said }) => ({ ...said, said_by: said.said_by.toSorted() }))
    .map((said) => JSON.stringify(said))
    .toSorted()
}

test('whatever happened to documents, the record is one that was made of those that are left', async (t) => {
  const { db, ownerUrl } = await testDatabase(t)
  const owner = ownerSql(t, ownerUrl)
  for (let seed = 1; seed <= 6; seed += 1) {
    const random = randomOf(seed)
    const person = await signUp(db)
    const kept: Kept[] = []
    for (let n = 0; n < 4; n += 1) kept.push({ file: await makeFile(db, person), state: 'new', page: [] })
    const history: string[] = []
    for (let step = 0; step < 14; step += 1) {
      const place = random(kept.length)
      const one = kept[place]
      if (one === undefined || one.state === 'erased') continue
      const act =
        one.state === 'binned'
          ? oneOf(random, ['restore', 'restore', 'erase'])
          : oneOf(random, ['read', 'read', 'read', 'bin'])
      history.push(`${act} ${place}`)
      if (act === 'read') {
        const page = randomPage(random)
        await runPasses(db, one.file, page, step + 1)
        kept[place] = { file: one.file, state: 'used', page }
      } else if (act === 'bin') {
        await remove(db, person, one.file)
        kept[place] = { ...one, state: 'binned' }
      } else if (act === 'restore') {
        await restore(db, person, one.file)
        kept[place] = { ...one, state: 'used' }
      } else {
        await owner`select erase_shell_file(${one.file.shellFileId})`
        kept[place] = { ...one, state: 'erased' }
      }
    }

    const other = await signUp(db)
    const fresh: File[] = []
    for (const _ of kept) fresh.push(await makeFile(db, other))
    const order = kept.map((_, place) => place).toSorted(() => random(2) - 0.5)
    for (const place of order) {
      const [one, file] = [kept[place], fresh[place]]
      if (one?.state === 'used' && file !== undefined) await runPasses(db, file, one.page)
    }
    const files = kept.map(({ file }) => file)
    t.same(
      await whatIsSaid(db, person, files),
      await whatIsSaid(db, other, fresh),
      `seed ${seed}: ${history.join(', ')}`,
    )
  }
})
