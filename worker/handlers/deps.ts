import type { Clock } from '../../platform/clock.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { AiProvider } from '../providers/ai/provider.ts'
import type { OcrProvider } from '../providers/ocr/provider.ts'

export type ScanVerdict = {
  readonly verdict: 'clean' | 'marked' | 'rejected'
  readonly code: string | null
  /** Safe to show a patient. */
  readonly reason: string | null
  readonly pageCount: number | null
  readonly findings: readonly unknown[]
}

/** What handlers are built from; the far sides of the network are chosen by configuration. */
export type HandlerDeps = {
  readonly store: Store
  readonly scan: (
    file: { readonly path: string; readonly declaredMimeType: string },
    signal: AbortSignal,
  ) => Promise<ScanVerdict>
  readonly ocr: OcrProvider
  /** null: rules alone. */
  readonly ai: AiProvider | null
  readonly clock: Clock
}
