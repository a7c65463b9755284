import type { Contender, ContenderName } from './contender.ts'

/** Loaded when asked for: a peer that is not installed must not keep the others from being measured. */
const files: Readonly<Record<ContenderName, () => Promise<Contender>>> = {
  exora: async () => (await import('./exora.ts')).exora,
  'graphile-worker': async () => (await import('./graphile.ts')).graphile,
}

export const contenderNames: readonly ContenderName[] = ['exora', 'graphile-worker']

export async function loadContender(name: ContenderName): Promise<Contender> {
  return await files[name]()
}
