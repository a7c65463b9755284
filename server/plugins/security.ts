import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { ServerConfig } from '../config.ts'
import type { Server } from '../types.ts'
import { correlationHeader } from './correlation.ts'

const dayS = 86_400

/** Headers for an API that shows no pages; the one page that we have brings its own policy. */
export function addSecurity(app: Server, config: ServerConfig): void {
  app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    crossOriginResourcePolicy: { policy: 'same-site' },
    referrerPolicy: { policy: 'no-referrer' },
    hsts: { maxAge: 365 * dayS, includeSubDomains: false },
  })
  app.register(cors, {
    // An empty list allows nobody from elsewhere; there are no cookies to protect, but there is a habit to keep.
    origin: [...config.corsOrigins],
    methods: ['DELETE', 'GET', 'HEAD', 'PATCH', 'POST', 'PUT'],
    allowedHeaders: [
      'authorization',
      'content-type',
      'idempotency-key',
      'x-idempotency-key',
      'last-event-id',
      'range',
      'tus-resumable',
      'upload-length',
      'upload-metadata',
      'upload-offset',
      correlationHeader,
    ],
    exposedHeaders: [
      correlationHeader,
      'location',
      'idempotent-replayed',
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'set-auth-token',
      'content-range',
      'etag',
      'tus-resumable',
      'tus-version',
      'tus-extension',
      'tus-max-size',
      'upload-expires',
      'upload-length',
      'upload-offset',
      'x-shell-file-id',
      'x-job-id',
    ],
    maxAge: dayS / 24,
  })
}
