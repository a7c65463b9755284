import type { Clock } from '../../platform/clock.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { AiProvider } from '../providers/ai/provider.ts'
import type { MalwareProvider } from '../providers/malware/provider.ts'
import type { OcrProvider } from '../providers/ocr/provider.ts'

/** What handlers are built from; the far sides of the network are chosen by configuration. */
export type HandlerDeps = {
  readonly store: Store
  readonly malware: MalwareProvider
  /** Files with more pages are refused. */
  readonly maxPages: number
  readonly ocr: OcrProvider
  /** The limits that its calls count against; null where it runs on this machine. */
  readonly ocrLimit: { readonly provider: string; readonly endpoint: string } | null
  /** null: rules alone. */
  readonly ai: AiProvider | null
  readonly clock: Clock
}
