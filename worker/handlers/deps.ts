import type { Clock } from '../../platform/clock.ts'
import type { Store } from '../../platform/storage/store.ts'
import type { Schedule } from '../engine/schedule.ts'
import type { Narrator } from '../providers/narration/provider.ts'
import type { AiProvider } from '../providers/ai/provider.ts'
import type { MailProvider } from '../providers/mail/provider.ts'
import type { MalwareProvider } from '../providers/malware/provider.ts'
import type { OcrProvider } from '../providers/ocr/provider.ts'

export type OutsideOcr = {
  readonly provider: OcrProvider
  /** The limits that its calls count against. */
  readonly limit: { readonly provider: string; readonly endpoint: string }
}

/** What became of asking outside, kept with the job: `no_consent` and `not_configured` look alike in what was found. */
export type OutsideUse = 'asked' | 'no_consent' | 'not_configured'

/** How the model is used where it may be asked. */
export type AiUse = {
  /** `unread`: only lines of which the rules made nothing. */
  readonly scope: 'whole' | 'unread'
  /** Names, dates of birth, numbers and addresses do not leave. */
  readonly deidentify: boolean
}

/** What handlers are built from; the far sides of the network are chosen by configuration. */
export type HandlerDeps = {
  readonly store: Store
  readonly malware: MalwareProvider
  /** Files with more pages are refused. */
  readonly maxPages: number
  /** Pictures that are read side by side on this machine, over all files. */
  readonly picturesAtOnce: number
  /** Reads on this machine. */
  readonly ocr: OcrProvider
  /** Reads in its place where the person allows it; null: nothing leaves the machine. */
  readonly outsideOcr: OutsideOcr | null
  /** Asked where the person allows it; null: rules alone. */
  readonly ai: AiProvider | null
  readonly aiUse: AiUse
  readonly clock: Clock
  /** What happens by the clock. */
  readonly schedules: readonly Schedule[]
  /** To holders of embedded accounts. */
  readonly mail: MailProvider
  /** Of Exora; stands in what leaves the house. */
  readonly version: string
  /** Tells a file's events where the person allows it; null: templates alone. */
  readonly narrator: Narrator | null
}
