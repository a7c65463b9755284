/**
 * Puts a code system of the operator's own into the database, in place of what there is of its name:
 *   node scripts/import-terminology.ts concepts.tsv --system SNOMED --title "SNOMED CT-AU" --version 20260531
 *     --licence "Affiliate licence" --attribution "(c) SNOMED International"
 * The form of the file is in clinical/terminology/imported-system.ts. DATABASE_DIRECT_URL or DATABASE_URL of the owner, as for a
 * migration; no release changes what was imported.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readImportedConcepts } from '../clinical/terminology/imported-system.ts'
import { importCodeSystem } from '../db/terminology.ts'
import { ConfigurationError } from '../platform/env.ts'
import { runMain } from '../platform/run-main.ts'

await runMain(async () => {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { system: text, title: text, version: text, licence: text, attribution: text },
  })
  const ownerUrl = process.env['DATABASE_DIRECT_URL'] || process.env['DATABASE_URL']
  if (!ownerUrl) throw new ConfigurationError('Set DATABASE_DIRECT_URL or DATABASE_URL to the database, as its owner.')
  const { system: codeSystem, title, version, licence, attribution } = values
  const [path] = positionals
  if (!path || !codeSystem || !title || !version || !licence || !attribution)
    throw new ConfigurationError('Give a file, and --system, --title, --version, --licence and --attribution.')

  const content = readFileSync(path, 'utf8')
  const concepts = readImportedConcepts(content)
  const checksum = createHash('sha256').update(content).digest('hex')
  await importCodeSystem(ownerUrl, { codeSystem, title, version, licence, attribution, concepts }, checksum)
  console.log(`${concepts.length} concepts of ${codeSystem} imported`)
})
