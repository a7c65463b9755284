import { listPages } from '../../../db/queries/pages.ts'
import { notFound } from '../../plugins/errors.ts'
import { bytes, noBody, problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { hasCopy } from './entity-tags.ts'
import { readDocument, requireScanned } from './open-document.ts'
import { imageQuery, pageParams } from './schema.ts'

export function pageImage(api: Api, deps: RouteDeps): void {
  api.get(
    '/documents/:id/pages/:n/image',
    {
      schema: {
        tags: ['documents'],
        summary: 'A page as a picture, as its boxes see it',
        params: pageParams,
        querystring: imageQuery,
        response: {
          200: bytes('image/png', 'The page'),
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

      const etag = `"${file.sha256.slice(0, 32)}-${n}-${page?.rotation ?? 0}-${widthPx}"`
      reply.header('etag', etag).header('cache-control', 'private, max-age=3600')
      if (hasCopy(request.headers['if-none-match'], etag)) return await reply.code(304).send()
      const { storageKey, mimeType } = file
      const rotation = page?.rotation ?? 0
      const picture = await deps.pictures.get({ storageKey, mimeType, page: n, rotation, widthPx })
      return await reply.type('image/png').send(picture)
    },
  )
}
