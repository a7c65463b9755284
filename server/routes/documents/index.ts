import type { Api, RouteDeps } from '../../types.ts'
import { documentBin } from './bin.ts'
import { documentContent } from './content.ts'
import { documentEvents } from './events.ts'
import { getDocument } from './get.ts'
import { decideIdentity } from './identity-review.ts'
import { listDocumentRoute } from './list.ts'
import { documentNarratives } from './narratives.ts'
import { pageImage } from './page-image.ts'
import { documentReadings } from './readings.ts'

export function documentRoutes(api: Api, deps: RouteDeps): void {
  listDocumentRoute(api, deps)
  getDocument(api, deps)
  documentContent(api, deps)
  documentReadings(api, deps)
  documentNarratives(api, deps)
  pageImage(api, deps)
  documentEvents(api, deps)
  decideIdentity(api, deps)
  documentBin(api, deps)
}
