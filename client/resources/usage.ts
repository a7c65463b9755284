import type { CallOptions, Transport } from '../transport.ts'
import type {
  PlanList,
  Subscription,
  SubscriptionChange,
  UploadPermission,
  UploadPermissionQuery,
  UsageHistory,
  UsageHistoryQuery,
  UsageStatus,
} from '../types.ts'

export type Usage = {
  readonly get: (profileId: string, options?: CallOptions) => Promise<UsageStatus>
  readonly plans: (options?: CallOptions) => Promise<PlanList['plans']>
  readonly history: (query?: UsageHistoryQuery, options?: CallOptions) => Promise<UsageHistory['months']>
  /** May a file of this size be uploaded just now? */
  readonly check: (query: UploadPermissionQuery, options?: CallOptions) => Promise<UploadPermission>
  /** For operators. */
  readonly changeSubscription: (change: SubscriptionChange, options?: CallOptions) => Promise<Subscription>
}

export function usageOf({ json }: Transport): Usage {
  return {
    get: (profileId, options) => json({ method: 'GET', path: '/usage', query: { patient_id: profileId }, ...options }),
    plans: async (options) => (await json<PlanList>({ method: 'GET', path: '/usage/plans', ...options })).plans,
    history: async (query = {}, options) =>
      (await json<UsageHistory>({ method: 'GET', path: '/usage/history', query, ...options })).months,
    check: (query, options) => json({ method: 'GET', path: '/usage/check', query, ...options }),
    changeSubscription: (change, options) =>
      json({ method: 'PUT', path: '/usage/subscription', json: change, ...options }),
  }
}
