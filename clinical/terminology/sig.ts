/** Prescription shorthand: how often, by which route, in which form, for how long, and whether it goes on. */
import { buildLexicon } from './lexicon.ts'
import { once, readTable } from './read-table.ts'

export type SigKind = 'frequency' | 'route' | 'form' | 'timing' | 'duration' | 'quantity' | 'status'
export type Sig = { readonly kind: SigKind; readonly code: string; readonly meaning: string }

const kinds: readonly SigKind[] = ['frequency', 'route', 'form', 'timing', 'duration', 'quantity', 'status']

export const sigLexicon = once(() =>
  buildLexicon(
    readTable('sig', ['kind', 'text', 'meaning', 'code', 'ambiguous']).flatMap((row) => {
      const kind = kinds.find((known) => known === row.kind)
      if (!kind) return []
      return [
        { text: row.text, isAmbiguous: row.ambiguous === 'Y', meaning: { kind, code: row.code, meaning: row.meaning } },
      ]
    }),
  ),
)
