import type { Kind } from './tables.ts'

/** Everybody who may come by, and what of a child they see. What is not listed is invisible, or may not even be named. */
export type ActorSpec = {
  readonly who: string
  /** Kinds of data of the child that are visible. */
  readonly sees: readonly Kind[]
}

const record = ['profile', 'document', 'clinical', 'narrative'] as const
const managed = [...record, 'consents', 'sharing', 'clinician access'] as const
const everything = [...managed, 'break-glass', 'exports', 'audit'] as const

export const actors = {
  guardian: { who: 'account that owns the child’s profile', sees: everything },
  second_guardian: { who: 'second guardian', sees: everything },
  delegate_owner: { who: 'delegate, owner', sees: everything },
  delegate_full_access: { who: 'delegate, full_access', sees: managed },
  delegate_read_write: { who: 'delegate, read_write', sees: record },
  delegate_read_only: { who: 'delegate, read_only', sees: record },
  delegate_expired: { who: 'delegate whose time is over', sees: [] },
  delegate_revoked: { who: 'delegate, revoked', sees: [] },
  delegate_offered: { who: 'delegate who has not accepted', sees: [] },
  delegate_future: { who: 'delegate whose time has not come', sees: [] },
  clinician_writing: { who: 'clinician let in to read and add', sees: record },
  clinician_all: { who: 'clinician let in to read', sees: record },
  clinician_clinical: { who: 'clinician let in to the clinical part', sees: ['profile', 'clinical'] },
  clinician_requested: { who: 'clinician who has asked', sees: [] },
  clinician_declined: { who: 'clinician who was declined', sees: [] },
  clinician_expired: { who: 'clinician whose time is over', sees: [] },
  clinician_suspended: { who: 'clinician, suspended', sees: [] },
  clinician_withdrawn: { who: 'clinician, consent withdrawn', sees: [] },
  clinician_unverified: { who: 'clinician, not verified', sees: [] },
  operator: { who: 'operator', sees: [] },
  operator_broken_glass: { who: 'operator who broke the glass', sees: record },
  another_patient: { who: 'account with a record of its own', sees: [] },
  stranger: { who: 'any other account', sees: [] },
} as const satisfies Readonly<Record<string, ActorSpec>>

export type ActorName = keyof typeof actors
