/**
 * Pictures of pages in the store, for all servers and over restarts. A row says where one lies; none is needed, so
 * whatever goes wrong here, the picture is drawn. Bytes that no row names any more are erased with those of documents.
 */
import { buffer } from 'node:stream/consumers'
import { asService } from '../../../db/actor.ts'
import type { Database } from '../../../db/client.ts'
import { findPagePicture, forgetPagePicture, keepPagePicture } from '../../../db/queries/page-pictures.ts'
import type { PagePicture } from '../../../db/queries/page-pictures.ts'
import type { Logger } from '../../../platform/log.ts'
import { objectNotFound } from '../../../platform/storage/store.ts'
import type { Store } from '../../../platform/storage/store.ts'
import type { PictureOf } from './page-pictures.ts'
import { keptWidths } from './schema.ts'

export type KeptPictures = {
  find(wanted: PictureOf): Promise<Buffer | null>
  keep(wanted: PictureOf, picture: Buffer): Promise<void>
}

export type KeptPicturesDeps = { readonly db: Database; readonly store: Store; readonly log: Logger }

export function createKeptPictures(deps: KeptPicturesDeps): KeptPictures {
  const orLog = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      deps.log.warn({ err: error }, 'a picture of a page was not kept')
      return null
    }
  }
  return {
    find: async (wanted) => (keptWidths.includes(wanted.widthPx) ? await orLog(() => load(wanted, deps)) : null),
    keep: async (wanted, picture) => {
      if (keptWidths.includes(wanted.widthPx)) await orLog(() => save(wanted, picture, deps))
    },
  }
}

async function load(wanted: PictureOf, { db, store }: KeptPicturesDeps): Promise<Buffer | null> {
  const key = await asService(db, {}, (tx) => findPagePicture(tx, rowOf(wanted)))
  if (key === null) return null
  try {
    return await buffer((await store.open(key)).stream)
  } catch (error) {
    if (!objectNotFound.matches(error)) throw error
    await asService(db, {}, (tx) => forgetPagePicture(tx, key))
    return null
  }
}

async function save(wanted: PictureOf, picture: Buffer, { db, store }: KeptPicturesDeps): Promise<void> {
  const { key } = await store.put(
    (async function* () {
      yield picture
    })(),
    { maxBytes: picture.byteLength },
  )
  let isKept = false
  try {
    isKept = await asService(db, {}, (tx) => keepPagePicture(tx, rowOf(wanted), key))
  } finally {
    if (!isKept) await store.delete(key)
  }
}

function rowOf({ shellFileId, page, rotation = 0, widthPx, format = 'png' }: PictureOf): PagePicture {
  return { shellFileId, pageNumber: page, rotation, widthPx, mimeType: `image/${format}` }
}
