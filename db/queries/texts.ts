import { and, desc, eq, sql } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { shellFileTexts } from '../schema/documents.ts'

/** The text of a file in reading order; `layout` is what `clinical/document/stored-layout.ts` packs. */
export type StoredText = { readonly version: number; readonly content: string; readonly layout: unknown }

/** A text is never edited, facts point into it: mapping again adds a version. */
export async function saveText(
  tx: Tx,
  shellFileId: string,
  text: { readonly content: string; readonly layout: unknown },
): Promise<number> {
  const [row] = await tx
    .insert(shellFileTexts)
    .values({
      shellFileId,
      version: sql`(
        select coalesce(max(known.version), 0) + 1
        from public.shell_file_texts as known
        where known.shell_file_id = ${shellFileId}
      )`,
      content: text.content,
      layout: text.layout,
    })
    .returning({ version: shellFileTexts.version })
  if (row === undefined) throw new Error('the text was not stored')
  return row.version
}

export async function loadText(tx: Tx, shellFileId: string): Promise<StoredText | null> {
  const [row] = await tx
    .select({
      version: shellFileTexts.version,
      content: shellFileTexts.content,
      layout: shellFileTexts.layout,
    })
    .from(shellFileTexts)
    .where(eq(shellFileTexts.shellFileId, shellFileId))
    .orderBy(desc(shellFileTexts.version))
    .limit(1)
  return row ?? null
}

/** The text alone, of one version or the newest: what the API shows. */
export async function loadTextContent(
  tx: Tx,
  shellFileId: string,
  version?: number,
): Promise<{ readonly version: number; readonly content: string } | null> {
  const [row] = await tx
    .select({ version: shellFileTexts.version, content: shellFileTexts.content })
    .from(shellFileTexts)
    .where(
      and(
        eq(shellFileTexts.shellFileId, shellFileId),
        version === undefined ? undefined : eq(shellFileTexts.version, version),
      ),
    )
    .orderBy(desc(shellFileTexts.version))
    .limit(1)
  return row ?? null
}
