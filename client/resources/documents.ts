import { followDocument } from '../streams/document-events.ts'
import type { FollowOptions } from '../streams/follow.ts'
import type { CallOptions, Transport } from '../transport.ts'
import type {
  Decision,
  Document,
  DocumentEvent,
  DocumentList,
  DocumentListQuery,
  DocumentText,
  Fact,
  FactList,
  Narrative,
  NarrativeList,
  Page,
  Processed,
  Processing,
  UploadAnswer,
  Word,
} from '../types.ts'
import type { Uploads, UploadOptions, UploadWithFile } from '../uploads/upload.ts'

export type Documents = {
  /** Answers when the document is safe. Broken attempts are repeated under one key, so that it counts once. */
  readonly upload: (upload: UploadWithFile, options?: UploadOptions) => Promise<UploadAnswer>
  readonly list: (query: DocumentListQuery, options?: CallOptions) => Promise<DocumentList>
  readonly get: (id: string, options?: CallOptions) => Promise<Document>
  /** Each stage as it changes, until processing has ended or waits for a person. */
  readonly follow: (id: string, options?: FollowOptions) => AsyncIterable<DocumentEvent>
  readonly facts: (id: string, options?: CallOptions) => Promise<Fact[]>
  /** What it says in sentences; each cites facts, and `facts` shows where on the page they stand. */
  readonly narratives: (id: string, options?: CallOptions) => Promise<Narrative[]>
  readonly pages: (id: string, options?: CallOptions) => Promise<Page[]>
  /** `q`: only the words of the places where it stands; `match` says which belong together. */
  readonly words: (id: string, page: number, options?: CallOptions & { readonly q?: string }) => Promise<Word[]>
  readonly text: (id: string, options?: CallOptions & { readonly version?: number }) => Promise<DocumentText>
  /** The page as a WebP or PNG; the body is the caller's to read. Widths of 160, 320, 640, 1240 and 2480 come quickest. */
  readonly pageImage: (
    id: string,
    page: number,
    options?: CallOptions & { readonly width?: number },
  ) => Promise<Response>
  /** The original; `range` as HTTP has it, `bytes=0-99`. */
  readonly content: (id: string, options?: CallOptions & { readonly range?: string }) => Promise<Response>
  readonly decideIdentity: (id: string, decision: Decision, options?: CallOptions) => Promise<Document>
  readonly process: (body: Processing, options?: CallOptions) => Promise<Processed>
  /** Into the bin. */
  readonly remove: (id: string, options?: CallOptions) => Promise<void>
  readonly restore: (id: string, options?: CallOptions) => Promise<Document>
}

export function documentsOf(transport: Transport, uploads: Uploads): Documents {
  const { ask, json } = transport
  return {
    upload: uploads,
    list: (query, options) => json({ method: 'GET', path: '/documents', query, ...options }),
    get: (id, options) => json({ method: 'GET', path: pathOf(id), ...options }),
    follow: (id, options) => followDocument(transport, `${pathOf(id)}/events`, options),
    facts: async (id, options) =>
      (await json<FactList>({ method: 'GET', path: `${pathOf(id)}/facts`, ...options })).facts,
    narratives: async (id, options) =>
      (await json<NarrativeList>({ method: 'GET', path: `${pathOf(id)}/narratives`, ...options })).narratives,
    pages: async (id, options) =>
      (await json<{ pages: Page[] }>({ method: 'GET', path: `${pathOf(id)}/pages`, ...options })).pages,
    words: (id, page, { q, signal } = {}) =>
      json({ method: 'GET', path: `${pathOf(id)}/pages/${page}/words`, query: { q }, signal }),
    text: (id, { version, signal } = {}) =>
      json({ method: 'GET', path: `${pathOf(id)}/text`, query: { version }, signal }),
    pageImage: (id, page, { width, signal } = {}) =>
      ask({
        method: 'GET',
        path: `${pathOf(id)}/pages/${page}/image`,
        query: { width },
        headers: { accept: 'image/webp, image/png' },
        signal,
      }),
    content: (id, { range, signal } = {}) => {
      const headers = range === undefined ? {} : { range }
      return ask({ method: 'GET', path: `${pathOf(id)}/content`, headers, signal })
    },
    decideIdentity: (id, decision, options) =>
      json({ method: 'POST', path: `${pathOf(id)}/identity-review`, json: { decision }, ...options }),
    process: (body, options) => json({ method: 'POST', path: '/api/process-document', json: body, ...options }),
    remove: async (id, options) => {
      await ask({ method: 'DELETE', path: pathOf(id), ...options })
    },
    restore: (id, options) => json({ method: 'POST', path: `${pathOf(id)}/restore`, repeat: 'always', ...options }),
  }
}

const pathOf = (id: string) => `/documents/${encodeURIComponent(id)}`
