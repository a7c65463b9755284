import { findWords } from '../../../clinical/document/find-words.ts'
import type { Word } from '../../../clinical/document/page.ts'
import { listFacts } from '../../../db/queries/facts.ts'
import { listPages, loadPage } from '../../../db/queries/pages.ts'
import { loadTextContent } from '../../../db/queries/texts.ts'
import { notFound } from '../../plugins/errors.ts'
import { problems } from '../../plugins/problem-schema.ts'
import type { Api, RouteDeps } from '../../types.ts'
import { readDocument } from './open-document.ts'
import { presentFact } from './present.ts'
import {
  factListSchema,
  pageListSchema,
  pageParams,
  textQuery,
  textSchema,
  wordListSchema,
  wordsQuery,
} from './schema.ts'
import { idParams } from '../fields.ts'

/** What was read from a document: pages, words, text, facts. */
export function documentReadings(api: Api, { db }: RouteDeps): void {
  const tags = ['documents']

  api.get(
    '/documents/:id/pages',
    {
      schema: {
        tags,
        summary: 'The pages read so far',
        params: idParams,
        response: { 200: pageListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document_pages' }, async (tx, file) => ({
        pages: (await listPages(tx, file.id)).map((page) => ({
          page: page.number,
          width_pt: page.widthPt,
          height_pt: page.heightPt,
          rotation: page.rotation,
          source: page.source,
          engine: page.engine,
          quality: page.quality,
          word_count: page.wordCount,
        })),
      })),
  )

  api.get(
    '/documents/:id/pages/:n/words',
    {
      schema: {
        tags,
        summary: 'The words of a page, each with its place; or those that are looked for',
        params: pageParams,
        querystring: wordsQuery,
        response: { 200: wordListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(
        db,
        request,
        { id: request.params.id, view: 'page_words', page: request.params.n },
        async (tx, file) => {
          const page = await loadPage(tx, file.id, request.params.n)
          if (page === null) throw notFound()
          const { q } = request.query
          if (q === undefined) return page.words.map(shownWord)
          return findWords(page.words, q).flatMap((place, match) =>
            place.flatMap((index) => page.words.slice(index, index + 1).map((word) => ({ ...shownWord(word), match }))),
          )
        },
      ),
  )

  api.get(
    '/documents/:id/text',
    {
      schema: {
        tags,
        summary: 'The text that facts point into',
        params: idParams,
        querystring: textQuery,
        response: { 200: textSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document_text' }, async (tx, file) => {
        const text = await loadTextContent(tx, file.id, request.query.version)
        if (text === null) throw notFound()
        return { version: text.version, text: text.content }
      }),
  )

  api.get(
    '/documents/:id/facts',
    {
      schema: {
        tags,
        summary: 'The facts found, each with the words it came from',
        params: idParams,
        response: { 200: factListSchema, ...problems(400, 401, 404, 503) },
      },
    },
    (request) =>
      readDocument(db, request, { id: request.params.id, view: 'document_facts' }, async (tx, file) => ({
        facts: (await listFacts(tx, file.id)).map(presentFact),
      })),
  )
}

const shownWord = ({ text, confidence01, box }: Word) => ({ text, confidence: confidence01, box: [...box] })
