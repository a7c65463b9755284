/**
 * The main job, shown: starts everything on the embedded database, signs up, uploads, follows each stage, prints the
 * facts and draws them on their pages. `--exit` ends by itself; a path takes a file of one's own.
 */
import { openAsBlob } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Client, NewProfile } from '../client/index.ts'
import { runMain } from '../platform/run-main.ts'
import { listenForStop } from '../platform/stop-signal.ts'
import type { StopSignals } from '../platform/stop-signal.ts'
import { signUp } from './demo/client.ts'
import { drawFacts } from './demo/fact-picture.ts'
import { factTable } from './demo/fact-table.ts'
import { createStageProgress } from './demo/progress.ts'
import { startSystem } from './system.ts'

const { values: options, positionals } = parseArgs({
  options: { exit: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const samples = join(import.meta.dirname, '../test/fixtures/documents')
/** Invented, as everybody in the samples: the identity gate compares a document's name and date of birth with these. */
const samplePerson: NewProfile = {
  display_name: 'Margery Gibson',
  full_name: 'Margery Gibson',
  profile_type: 'dependent',
  date_of_birth: '1948-11-08',
}
const somebody: NewProfile = { display_name: 'Me', full_name: 'Me', profile_type: 'dependent' }
const sampleFiles = [join(samples, 'discharge-summary-au.pdf'), join(samples, 'lab-report-scan.jpg')]
const pictureFolder = 'demo-output'

for (const path of positionals) {
  if (!(await stat(path).catch(() => null))?.isFile()) {
    console.error(`${path}: there is no such file`)
    process.exit(2)
  }
}

await runMain(demonstrate)

async function demonstrate(): Promise<void> {
  const stop = listenForStop()
  console.log('Starting PostgreSQL, server and worker …')
  const system = await startSystem(process.env, stop)
  console.log(`The API listens on ${system.address} (its documentation: ${system.address}/docs)\n`)
  try {
    const hasFailed = await showFiles(system.address, stop)
    if (hasFailed) process.exitCode = 1
    if (!options.exit && !stop.asked.aborted) {
      console.log(`The API goes on at ${system.address} until Ctrl-C. The data: npx drizzle-kit studio`)
      await new Promise((resolve) => {
        stop.asked.addEventListener('abort', resolve, { once: true })
      })
    }
  } catch (error) {
    console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exitCode = 1
  } finally {
    await system.stop(stop.insisted)
    stop.dispose()
  }
}

async function showFiles(address: string, stop: StopSignals): Promise<boolean> {
  const client = await signUp(address, `demo-${crypto.randomUUID()}@example.org`, crypto.randomUUID())
  const [person, files] = positionals.length > 0 ? [somebody, positionals] : [samplePerson, sampleFiles]
  const { id: patientId } = await client.profiles.create(person)
  let hasFailed = false
  for (const path of files) {
    if (stop.asked.aborted) break
    if ((await show(client, path, patientId)) === 'failed') hasFailed = true
  }
  return hasFailed
}

async function show({ documents }: Client, path: string, patientId: string): Promise<string> {
  const file = { file: await openAsBlob(path), filename: basename(path) }
  const stored = await documents.upload({ patient_id: patientId, ...file })
  console.log(`${basename(path)}: ${Math.ceil(stored.size_bytes / 1024)} kB, ${stored.mime_type}, safe`)
  const progress = createStageProgress(process.stdout, () => performance.now())
  for await (const event of documents.follow(stored.shell_file_id)) progress.show(event)
  progress.finish()

  const document = await documents.get(stored.shell_file_id)
  for (const { stage, error } of document.stages) if (error) console.log(`  ${stage}: ${error.message} (${error.code})`)
  const facts = await documents.facts(stored.shell_file_id)
  console.log(`\n${basename(path)}: ${document.status}, ${document.page_count ?? 0} pages, ${facts.length} facts`)
  if (document.status === 'needs_review')
    console.log('The name or date of birth in it needs a person to decide; its facts are held until then.')
  if (facts.length > 0) console.log(`\n${factTable(facts)}\n`)

  const pages = [...new Set(facts.flatMap((fact) => fact.sources.map((source) => source.page)))].toSorted(
    (a, b) => a - b,
  )
  await mkdir(pictureFolder, { recursive: true })
  for (const page of pages) {
    const picture = await documents.pageImage(stored.shell_file_id, page)
    const drawn = await drawFacts(Buffer.from(await picture.arrayBuffer()), facts, page)
    const picturePath = join(pictureFolder, `${basename(path).replace(/\.[^.]*$/, '')}-page-${page}.png`)
    await writeFile(picturePath, drawn)
    console.log(`The facts on page ${page}: ${picturePath}`)
  }
  console.log()
  return document.status
}
