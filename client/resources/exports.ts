import type { CallOptions, Transport } from '../transport.ts'
import type { DataExport, DataExportList } from '../types.ts'

export type Exports = {
  /** While one is being made, asking again answers with that one. */
  readonly request: (profileId: string, options?: CallOptions) => Promise<DataExport>
  readonly list: (profileId: string, options?: CallOptions) => Promise<DataExport[]>
  /** The archive as a zip; the body is the caller's to read. */
  readonly content: (profileId: string, exportId: string, options?: CallOptions) => Promise<Response>
}

export function exportsOf({ ask, json }: Transport): Exports {
  return {
    request: (id, options) => json({ method: 'POST', path: `${pathOf(id)}/export`, repeat: 'always', ...options }),
    list: async (id, options) =>
      (await json<DataExportList>({ method: 'GET', path: `${pathOf(id)}/exports`, ...options })).exports,
    content: (id, exportId, options) =>
      ask({ method: 'GET', path: `${pathOf(id)}/exports/${encodeURIComponent(exportId)}/content`, ...options }),
  }
}

const pathOf = (id: string) => `/profiles/${encodeURIComponent(id)}`
