import { and, eq } from 'drizzle-orm'
import type { Tx } from '../actor.ts'
import { pagePictures } from '../schema/documents.ts'

export type PagePicture = Pick<
  typeof pagePictures.$inferSelect,
  'shellFileId' | 'pageNumber' | 'rotation' | 'widthPx' | 'mimeType'
>

/** Where the store has it; null: it has to be drawn. */
export async function findPagePicture(tx: Tx, wanted: PagePicture): Promise<string | null> {
  const [row] = await tx
    .select({ storageKey: pagePictures.storageKey })
    .from(pagePictures)
    .where(
      and(
        eq(pagePictures.shellFileId, wanted.shellFileId),
        eq(pagePictures.pageNumber, wanted.pageNumber),
        eq(pagePictures.rotation, wanted.rotation),
        eq(pagePictures.widthPx, wanted.widthPx),
        eq(pagePictures.mimeType, wanted.mimeType),
      ),
    )
  return row?.storageKey ?? null
}

/** False: another server has drawn it at the same time, and its picture is the one that is kept. */
export async function keepPagePicture(tx: Tx, picture: PagePicture, storageKey: string): Promise<boolean> {
  const kept = await tx
    .insert(pagePictures)
    .values({ ...picture, storageKey })
    .onConflictDoNothing()
    .returning({ storageKey: pagePictures.storageKey })
  return kept.length > 0
}

/** The store does not have it, after all. */
export async function forgetPagePicture(tx: Tx, storageKey: string): Promise<void> {
  await tx.delete(pagePictures).where(eq(pagePictures.storageKey, storageKey))
}
