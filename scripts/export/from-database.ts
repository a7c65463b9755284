import { asService, type Tx } from '../../db/actor.ts'
import { openDatabase } from '../../db/client.ts'
import { embeddedHome, readConnectionFile } from '../../db/embedded/connection-file.ts'
import { listFacts } from '../../db/queries/facts.ts'
import { loadPages } from '../../db/queries/pages.ts'
import { loadTextContent } from '../../db/queries/texts.ts'
import { scoredFacts, type ExportedDocument } from './scored-document.ts'

/** `DATABASE_URL`, else the embedded database of the data directory while it runs. */
export function databaseUrl(env: Readonly<Record<string, string | undefined>>): string {
  const url = env['DATABASE_URL'] ?? readConnectionFile(embeddedHome(env['DATA_DIR'] ?? '.exora'))?.app
  if (url === undefined)
    throw new Error(
      'No database: set DATABASE_URL, or DATA_DIR to the folder of a running Exora, or use --url and --token.',
    )
  return url
}

export async function exportFromDatabase(
  url: string,
  documents: readonly { readonly id: string; readonly doc: string }[],
): Promise<ExportedDocument[]> {
  const db = openDatabase({ url, applicationName: 'exora-export', max: 1 })
  try {
    return await asService(db, {}, async (tx) => {
      const exported: ExportedDocument[] = []
      for (const document of documents) exported.push(await exportDocument(tx, document))
      return exported
    })
  } finally {
    await db.close()
  }
}

async function exportDocument(
  tx: Tx,
  document: { readonly id: string; readonly doc: string },
): Promise<ExportedDocument> {
  const facts = await listFacts(tx, document.id)
  const pages = await loadPages(tx, document.id)
  const whole = (await loadTextContent(tx, document.id))?.content ?? ''
  const texts = whole.split('\f')
  return {
    doc: document.doc,
    facts: facts.flatMap((fact) => scoredFacts(fact, whole)),
    pages: pages.map((page, index) => ({
      page: page.number,
      text: texts[index] ?? '',
      words: page.words.map(({ text, box }) => [text, ...box] as const),
    })),
  }
}
