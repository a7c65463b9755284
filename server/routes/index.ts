import { addCallers, requireToken } from '../plugins/authentication/authentication.ts'
import type { Authentication } from '../plugins/authentication/authentication.ts'
import { countRefusedToken, limitAccounts } from '../plugins/request-limits/request-limits.ts'
import type { Api, RouteDeps } from '../types.ts'
import { accessRoutes } from './access/index.ts'
import { accessLogRoutes } from './access-log/index.ts'
import { accountRoutes } from './account/index.ts'
import { auditRoutes } from './audit/index.ts'
import { authRoutes } from './auth/index.ts'
import { consentRoutes } from './consents/index.ts'
import { documentRoutes } from './documents/index.ts'
import { exportRoutes } from './exports/index.ts'
import { factRoutes } from './facts/index.ts'
import { notificationRoutes } from './notifications/index.ts'
import { operationRoutes } from './operations/index.ts'
import { processingRoutes } from './processing/index.ts'
import { profileRoutes } from './profiles/index.ts'
import { providerRoutes } from './providers/index.ts'
import { realtimeRoutes } from './realtime/index.ts'
import { uploadRoutes } from './uploads/index.ts'
import { resumableOptions, resumableRoutes } from './uploads/resumable/index.ts'
import { usageRoutes } from './usage/index.ts'

export type Routes = (api: Api, deps: RouteDeps) => void

/** The table of contents of the API. */
const open: readonly Routes[] = [operationRoutes, authRoutes, resumableOptions]
const forAccounts: readonly Routes[] = [
  profileRoutes,
  accessRoutes,
  consentRoutes,
  providerRoutes,
  accessLogRoutes,
  auditRoutes,
  notificationRoutes,
  uploadRoutes,
  resumableRoutes,
  documentRoutes,
  factRoutes,
  realtimeRoutes,
  processingRoutes,
  usageRoutes,
  exportRoutes,
  accountRoutes,
]

export function addRoutes(api: Api, deps: RouteDeps, authentication: Authentication): void {
  addCallers(api)
  for (const routes of open) routes(api, deps)
  api.register(async (scope: Api) => {
    requireToken(scope, authentication, (refused) => countRefusedToken(deps.limiter, refused))
    limitAccounts(scope, deps.limiter)
    for (const routes of forAccounts) routes(scope, deps)
  })
}
