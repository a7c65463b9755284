import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Database } from '../db/client.ts'
import type { Logger } from '../platform/log.ts'
import type { Store } from '../platform/storage/store.ts'
import type { Metrics } from '../platform/telemetry.ts'
import type { Tracing } from '../platform/tracing.ts'
import type { ServerConfig } from './config.ts'
import type { FileEvents } from './plugins/file-events.ts'
import type { OverloadGauge } from './plugins/overload.ts'
import type { Realtime } from './plugins/realtime/realtime.ts'
import type { RequestLimiter } from './plugins/request-limits/request-limits.ts'
import type { TraceBuffer } from './plugins/trace-buffer.ts'
import type { PagePictures, RenderPage } from './routes/documents/page-pictures.ts'
import type { EmbeddedAccounts } from './routes/auth/embedded-accounts.ts'
import type { UploadGate } from './routes/uploads/gate.ts'

/** The whole application, to which plugins add themselves. */
export type Server = FastifyInstance

/** The scope of the API: its schemas are zod's. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>

/** What the process opens and hands in; the application closes none of it. */
export type ServerDeps = {
  readonly config: ServerConfig
  readonly db: Database
  readonly store: Store
  readonly log: Logger
  readonly metrics: Metrics
  /** Null: nobody has asked for traces. */
  readonly tracing: Tracing | null
  /** Null where an outside issuer vouches for tokens. */
  readonly accounts: EmbeddedAccounts | null
  readonly renderPage: RenderPage
}

/** What routes work with. */
export type RouteDeps = ServerDeps & {
  readonly fileEvents: FileEvents
  readonly realtime: Realtime
  readonly traces: TraceBuffer
  readonly uploadGate: UploadGate
  readonly limiter: RequestLimiter
  readonly overload: OverloadGauge
  readonly pictures: PagePictures
}
