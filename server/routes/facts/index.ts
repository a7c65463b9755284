import type { Api, RouteDeps } from '../../types.ts'
import { factChangesRoute } from './changes.ts'
import { decideFactRoute } from './decide.ts'
import { enterFactRoute } from './enter.ts'
import { reviewRoutes } from './review.ts'

export function factRoutes(api: Api, deps: RouteDeps): void {
  decideFactRoute(api, deps)
  enterFactRoute(api, deps)
  reviewRoutes(api, deps)
  factChangesRoute(api, deps)
}
