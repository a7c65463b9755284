/**
 * Find and code: `npm run bench -- understanding [--pages n] [--rounds n]`. A made report of laboratory results goes through
 * passes 1 and 2 as the worker runs them, with their job, their transaction and the record; beside the pure part of it, and
 * beside a bare insert of the rows that come of it. All of it in time on processors, of this process and the database, as pages
 * for a second of one core. Ends after ten minutes with the rounds that it has.
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packLayout } from '../clinical/document/stored-layout.ts'
import type { MappedDocument } from '../clinical/document/mapped.ts'
import { findFacts } from '../clinical/extraction/find-facts.ts'
import { packagedTerminology } from '../clinical/terminology/code-systems.ts'
import { asService } from '../db/actor.ts'
import { openDatabase } from '../db/client.ts'
import { migrate } from '../db/migrate.ts'
import { saveText } from '../db/queries/texts.ts'
import { loadTerminology } from '../db/terminology.ts'
import { signUp } from '../test/support/actors.ts'
import { stageRunner } from '../test/support/stage-runner.ts'
import { findInFile } from '../worker/pipeline/pass1-find.ts'
import { codeFacts } from '../worker/pipeline/pass2-code.ts'
import type { Report } from './main.ts'
import { atLeast, atMost } from './question.ts'
import { startServer, type Place, type Server } from './server.ts'
import { median, rounded } from './statistics.ts'
import { prepareBareInsert } from './understanding/bare-insert.ts'
import { madeReport } from './understanding/made-report.ts'
import { processorMs } from './understanding/processor-time.ts'

const longestMs = 10 * 60_000
const usualPages = 200

type Round = {
  readonly facts: number
  readonly rows: number
  readonly pure_ms: number
  readonly find_ms: number
  readonly code_ms: number
  readonly bare_ms: number
}

export async function measureUnderstanding(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: { pages: { type: 'string', default: String(usualPages) }, rounds: { type: 'string', default: '3' } },
  })
  const pages = Number(values.pages)
  const rounds = await measureRounds(madeReport(pages), Number(values.rounds))
  const middle = (of: (round: Round) => number) => median(rounds.map(of))
  return {
    figures: [
      atLeast(
        'find and code, with the database: pages for a second of one core',
        rounded((pages / middle(whole)) * 1_000, 1),
        50,
      ),
      atLeast(
        'find and code, the pure part alone: pages for a second of one core',
        rounded((pages / middle((round) => round.pure_ms)) * 1_000, 1),
        50,
      ),
      atMost(
        'find and code with the database, of a bare insert of the same rows',
        rounded(middle((round) => whole(round) / round.bare_ms)),
        10,
      ),
    ],
    tables: {
      rounds: rounds.map((round) =>
        Object.fromEntries(Object.entries(round).map(([name, n]) => [name, rounded(n, 0)])),
      ),
    },
    isPartial: pages !== usualPages,
  }
}

const whole = (round: Round) => round.find_ms + round.code_ms

async function measureRounds(document: MappedDocument, count: number): Promise<Round[]> {
  const server = await startServer()
  const endings: (() => unknown)[] = []
  try {
    const place = await server.createPlace('bench_understanding')
    await migrate(place.owner)
    await loadTerminology(place.owner, packagedTerminology)
    const bench = await openBench(server, place, endings)
    const rounds: Round[] = []
    const startedAt = performance.now()
    // The first of them loads tables and compiles.
    for (let round = -1; round < count && performance.now() - startedAt < longestMs; round += 1) {
      const measured = await bench.measure(document)
      console.log(measured)
      if (round >= 0) rounds.push(measured)
    }
    return rounds
  } finally {
    for (const end of endings.toReversed()) await end()
    await server.close()
  }
}

async function openBench(server: Server, place: Place, endings: (() => unknown)[]) {
  const db = openDatabase({ url: place.app, applicationName: 'exora-bench', max: 4 })
  endings.push(() => db.close())
  const superuser = server.superuserIn(place, 1)
  endings.push(() => superuser.end())
  const runner = await stageRunner({ teardown: (end) => endings.push(end) }, db)
  const letter = join(import.meta.dirname, '../test/fixtures/documents/lab-report-au.pdf')
  return {
    async measure(document: MappedDocument): Promise<Round> {
      const shellFileId = await runner.upload(await signUp(db), letter)
      for (const stage of ['security_scan', 'ocr', 'spatial_mapping']) await runAs(stage)
      // In place of what the letter says; passes 1 and 2 take the newest text.
      const text = { content: document.text, layout: packLayout(document) }
      await asService(db, {}, (tx) => saveText(tx, shellFileId, text))
      let facts = 0
      const pureMs = await processorMs(superuser, async () => {
        facts = await understand(document)
      })
      const findMs = await processorMs(superuser, () => runAs('pass1_find'))
      const codeMs = await processorMs(superuser, () => runAs('pass2_code'))
      await superuser`delete from public.job_queue`
      const bare = await prepareBareInsert(superuser, shellFileId)
      const bareMs = await processorMs(superuser, bare.insert)
      return { facts, rows: bare.rows, pure_ms: pureMs, find_ms: findMs, code_ms: codeMs, bare_ms: bareMs }
    },
  }

  async function runAs(stage: string): Promise<void> {
    const ran = await runner.runOne()
    if (ran?.type !== stage || ran.settled !== 'completed')
      throw new Error(`${stage} did not end well: ${JSON.stringify(ran)}`)
  }
}

/** What the two passes work out, without the database; how many facts it found. */
async function understand(document: MappedDocument): Promise<number> {
  const { runs } = await findInFile(document, { rules: findFacts, ai: null })
  const facts = runs.flatMap((run) =>
    run.facts.map(({ fact, findingKey: id }) => ({ ...fact, id, wordConfidence01: 1 })),
  )
  const context = {
    identity: 'name',
    birthDate: null,
    today: '2026-01-01',
    file: { contacts: [], lastDay: null },
  } as const
  const coded = await codeFacts(facts, context, { searchCodes: (sought) => Promise.resolve(sought.map(() => [])) })
  return coded.length
}
