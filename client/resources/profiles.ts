import type { CallOptions, Transport } from '../transport.ts'
import type {
  AccessLog,
  AccessLogQuery,
  Narrative,
  NarrativeList,
  NewProfile,
  Profile,
  ProfileChanges,
  ProfileList,
} from '../types.ts'

export type Profiles = {
  readonly list: (options?: CallOptions) => Promise<Profile[]>
  readonly create: (profile: NewProfile, options?: CallOptions) => Promise<Profile>
  readonly get: (id: string, options?: CallOptions) => Promise<Profile>
  /** What is left out stays; null empties a field. */
  readonly change: (id: string, changes: ProfileChanges, options?: CallOptions) => Promise<Profile>
  readonly accessLog: (id: string, query?: AccessLogQuery, options?: CallOptions) => Promise<AccessLog>
  /** The whole record problem by problem; each sentence cites facts and the documents that they stand in. */
  readonly narratives: (id: string, options?: CallOptions) => Promise<Narrative[]>
}

export function profilesOf({ json }: Transport): Profiles {
  return {
    list: async (options) => (await json<ProfileList>({ method: 'GET', path: '/profiles', ...options })).profiles,
    create: (profile, options) => json({ method: 'POST', path: '/profiles', json: profile, ...options }),
    get: (id, options) => json({ method: 'GET', path: pathOf(id), ...options }),
    // Said twice, the same is said.
    change: (id, changes, options) =>
      json({ method: 'PATCH', path: pathOf(id), json: changes, repeat: 'always', ...options }),
    accessLog: (id, query = {}, options) =>
      json({ method: 'GET', path: `${pathOf(id)}/access-log`, query, ...options }),
    narratives: async (id, options) =>
      (await json<NarrativeList>({ method: 'GET', path: `${pathOf(id)}/narratives`, ...options })).narratives,
  }
}

const pathOf = (id: string) => `/profiles/${encodeURIComponent(id)}`
