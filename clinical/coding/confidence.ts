/** How far a fact may be relied on, computed from what can be checked, never from a model's own number. */
import type { FoundFact } from '../document/found-fact.ts'
import type { IdentityVerdict } from '../identity/identity-gate.ts'
import type { Finding } from './checks.ts'
import type { Coding } from './coding.ts'

export type Confidence = { readonly confidence: 'high' | 'check' | 'low'; readonly reason: string | null }

export type Evidence = {
  readonly type: FoundFact['type']
  readonly strength: FoundFact['strength']
  readonly coding: Coding
  readonly checks: readonly Finding[]
  /** Of the least legible word that the fact stands on. */
  readonly wordConfidence01: number
  readonly identity: IdentityVerdict['basis'] | 'accepted'
}

const unsureWord01 = 0.8
const illegibleWord01 = 0.5

export function rateConfidence(evidence: Evidence): Confidence {
  const findings = [...evidence.checks, ...legibility(evidence), ...understanding(evidence), ...ownership(evidence)]
  const worst = findings.find((finding) => finding.weight === 'low') ?? findings[0]
  if (worst === undefined) return { confidence: 'high', reason: null }
  return { confidence: worst.weight, reason: [...new Set(findings.map((finding) => finding.reason))].join(' ') }
}

function legibility({ wordConfidence01 }: Evidence): Finding[] {
  if (wordConfidence01 < illegibleWord01) return [{ weight: 'low', reason: 'The words are hard to read.' }]
  if (wordConfidence01 < unsureWord01) return [{ weight: 'check', reason: 'Some letters may be misread.' }]
  return []
}

function understanding({ type, strength, coding }: Evidence): Finding[] {
  const isUncoded = coding.selected === null && !neverCoded.has(type)
  if (strength === 'weak' && isUncoded) return [{ weight: 'low', reason: 'We are not sure what these words mean.' }]
  if (strength === 'weak') return [{ weight: 'check', reason: weakReason(type) }]
  if (!isUncoded) return []
  const reason =
    coding.candidates.length > 0
      ? 'Standard codes were found for a part of these words only.'
      : 'No standard code was found for these words.'
  return [{ weight: 'check', reason }]
}

/** Of a measured thing the words are known; it is the number that was mended or is missing. */
function weakReason(type: Evidence['type']): string {
  return type === 'lab_result' || type === 'vital_sign'
    ? 'Please compare the number with the document.'
    : 'The words stand alone; please see if they are meant so.'
}

function ownership({ identity }: Evidence): Finding[] {
  return identity === 'nothing'
    ? [{ weight: 'check', reason: 'Nothing in the document could be compared with this profile.' }]
    : []
}

const neverCoded = new Set<FoundFact['type']>([
  'identity',
  'encounter',
  'imaging_result',
  'physical_finding',
  'social_history',
])
