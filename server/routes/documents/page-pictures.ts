import pLimit from 'p-limit'
import { pageNotRendered } from '../../../platform/rendering/render-page.ts'
import type { PageToRender, renderPage } from '../../../platform/rendering/render-page.ts'
import { withLocalFile } from '../../../platform/storage/local-file.ts'
import type { Store } from '../../../platform/storage/store.ts'
import type { KeptPictures } from './kept-pictures.ts'

export type PictureOf = Omit<PageToRender, 'path' | 'signal'> & {
  readonly shellFileId: string
  readonly storageKey: string
}
export type RenderPage = typeof renderPage

/** Pictures of pages, each drawn once: kept in memory for as long as there is room, and in the store. */
export type PagePictures = { get(wanted: PictureOf): Promise<Buffer> }

const maxCachedBytes = 64 * 1024 * 1024
const renderTimeoutMs = 30_000
const rendersAtOnce = 2

export function createPagePictures(store: Store, kept: KeptPictures, draw: RenderPage): PagePictures {
  const turn = pLimit(rendersAtOnce)
  const cache = createPictureCache()
  const underWay = new Map<string, Promise<Buffer>>()
  const make = async (wanted: PictureOf) => {
    const known = await kept.find(wanted)
    if (known !== null) return known
    const picture = await turn(() => render(store, draw, wanted))
    await kept.keep(wanted, picture)
    return picture
  }
  return {
    get: async (wanted) => {
      const { storageKey, page, rotation = 0, widthPx, format = 'png' } = wanted
      const name = `${storageKey} ${page} ${rotation} ${widthPx} ${format}`
      const known = cache.get(name) ?? underWay.get(name)
      if (known !== undefined) return await known
      const making = make(wanted)
      underWay.set(name, making)
      try {
        const picture = await making
        cache.add(name, picture)
        return picture
      } finally {
        underWay.delete(name)
      }
    },
  }
}

async function render(store: Store, draw: RenderPage, wanted: PictureOf): Promise<Buffer> {
  const { storageKey, shellFileId: _, ...page } = wanted
  const signal = AbortSignal.timeout(renderTimeoutMs)
  return await withLocalFile({ store, key: storageKey, signal }, async (path) => {
    try {
      return await draw({ ...page, path, signal })
    } catch (error) {
      // Whatever a file does to its renderer (crash it, starve it, never end), it has no picture.
      throw pageNotRendered({ cause: error })
    }
  })
}

/** The one that was not asked for the longest goes first. */
function createPictureCache() {
  const pictures = new Map<string, Buffer>()
  let bytes = 0
  return {
    get: (name: string): Buffer | undefined => {
      const picture = pictures.get(name)
      if (picture === undefined) return undefined
      pictures.delete(name)
      pictures.set(name, picture)
      return picture
    },
    add: (name: string, picture: Buffer): void => {
      pictures.set(name, picture)
      bytes += picture.byteLength
      for (const [oldest, { byteLength }] of pictures) {
        if (bytes <= maxCachedBytes) return
        pictures.delete(oldest)
        bytes -= byteLength
      }
    },
  }
}
