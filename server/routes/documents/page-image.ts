import type { PictureFormat } from '../../../platform/rendering/render-page.ts'
import { listPages } from '../../../db/queries/pages.ts'
import { notFound } from '../../plugins/errors.ts'
import { bytes, noBody, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { hasCopy } from './entity-tags.ts'
import { readDocument, requireScanned } from './open-document.ts'
import { imageHeaders, imageQuery, pageParams } from './schema.ts'

export function pageImage(api: Api, deps: RouteDeps): void {
  api.get(
    '/documents/:id/pages/:n/image',
    {
      schema: {
        tags: ['documents'],
        summary: 'A page as a picture, as its boxes see it',
        params: pageParams,
        querystring: imageQuery,
        headers: imageHeaders,
        response: {
          200: bytes('image/png', 'The page', 'image/webp'),
          304: noBody('Unchanged'),
          ...problems(400, 401, 404, 409, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id, n } = request.params
      const { width: widthPx } = request.query
      const { file, page } = await readDocument(
        deps.db,
        request,
        { id, view: 'page_image', page: n },
        async (tx, found) => {
          const read = (await listPages(tx, found.id)).find(({ number }) => number === n)
          if (read === undefined && n > (found.pageCount ?? 1)) throw notFound()
          await requireScanned(tx, found, 'render')
          return { file: found, page: read }
        },
      )

      const rotation = page?.rotation ?? 0
      const format = formatFor(request.headers.accept)
      const etag = `"${file.sha256.slice(0, 32)}-${n}-${rotation}-${widthPx}-${format}"`
      reply
        .header('etag', etag)
        .header('vary', varyOf(reply.getHeader('vary')))
        .header('cache-control', 'private, max-age=3600')
      if (hasCopy(request.headers['if-none-match'], etag)) return await reply.code(304).send()
      const { id: shellFileId, storageKey, mimeType } = file
      const picture = await deps.pictures.get({ shellFileId, storageKey, mimeType, page: n, rotation, widthPx, format })
      return await reply.type(`image/${format}`).send(picture)
    },
  )
}

/** PNG for all who do not say that they know better. */
const formatFor = (accept = ''): PictureFormat =>
  /\bimage\/webp\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(accept) ? 'webp' : 'png'

/** CORS has said that the origin matters as well. */
const varyOf = (known: unknown): string => (typeof known === 'string' && known !== '' ? `${known}, accept` : 'accept')
