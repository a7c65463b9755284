/** Facts of documents in the format that the corpus is scored with; `--help` says how. */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { exportFromApi } from './export/from-api.ts'
import { databaseUrl, exportFromDatabase } from './export/from-database.ts'
import type { ExportedDocument } from './export/scored-document.ts'

const usage = `npm run export-facts -- --document <id> [--doc <name>] [--document <id> --doc <name> …] [--out <file>]
  --document  id of a document; may be given several times
  --doc       the name that the scorer knows it by, in the same order; its id if left out
  --out       a file; standard output if left out
  --url       an API (http://127.0.0.1:8080) with --token, or with EXORA_TOKEN set;
              without it the database of DATABASE_URL or DATA_DIR is read`

const { values } = parseArgs({
  options: {
    document: { type: 'string', multiple: true },
    doc: { type: 'string', multiple: true },
    out: { type: 'string' },
    url: { type: 'string' },
    token: { type: 'string' },
    help: { type: 'boolean' },
  },
})

const ids = values.document ?? []
if (values.help === true || ids.length === 0) {
  console.log(usage)
  process.exitCode = values.help === true ? 0 : 2
} else {
  const exported = await exportAll(ids.map((id, place) => ({ id, doc: values.doc?.[place] ?? id })))
  const json = `${JSON.stringify(exported, null, 1)}\n`
  if (values.out === undefined) process.stdout.write(json)
  else await writeFile(values.out, json)
}

async function exportAll(documents: readonly { id: string; doc: string }[]): Promise<ExportedDocument[]> {
  if (values.url === undefined) return await exportFromDatabase(databaseUrl(process.env), documents)
  const token = values.token ?? process.env['EXORA_TOKEN']
  if (token === undefined) throw new Error('An API is read with a token: --token, or EXORA_TOKEN.')
  const api = { url: values.url, token }
  const exported: ExportedDocument[] = []
  for (const { id, doc } of documents) exported.push(await exportFromApi(api, id, doc))
  return exported
}
