import pLimit from 'p-limit'
import { pageNotRendered } from '../../../platform/rendering/render-page.ts'
import type { PageToRender, renderPage } from '../../../platform/rendering/render-page.ts'
import { withLocalFile } from '../../../platform/storage/local-file.ts'
import type { Store } from '../../../platform/storage/store.ts'

export type PictureOf = Omit<PageToRender, 'path' | 'signal'> & { readonly storageKey: string }
export type RenderPage = typeof renderPage

/** Pictures of pages, rendered once and kept in memory for as long as there is room: nothing personal lies on a disk. */
export type PagePictures = { get(wanted: PictureOf): Promise<Buffer> }

const maxCachedBytes = 64 * 1024 * 1024
const renderTimeoutMs = 30_000
const rendersAtOnce = 2

export function createPagePictures(store: Store, draw: RenderPage): PagePictures {
  const turn = pLimit(rendersAtOnce)
  const cache = createPictureCache()
  const underWay = new Map<string, Promise<Buffer>>()
  return {
    get: async (wanted) => {
      const name = `${wanted.storageKey} ${wanted.page} ${wanted.rotation ?? 0} ${wanted.widthPx}`
      const known = cache.get(name) ?? underWay.get(name)
      if (known !== undefined) return await known
      const rendering = turn(() => render(store, draw, wanted))
      underWay.set(name, rendering)
      try {
        const picture = await rendering
        cache.add(name, picture)
        return picture
      } finally {
        underWay.delete(name)
      }
    },
  }
}

async function render(store: Store, draw: RenderPage, wanted: PictureOf): Promise<Buffer> {
  const { storageKey, ...page } = wanted
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
