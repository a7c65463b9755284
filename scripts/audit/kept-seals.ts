/** Seals that are kept where nobody who can write the database can reach: one line each, `chain place hash`. */
export type KeptSeal = { readonly chain: string; readonly position: number; readonly hash: string }

const line = /^(audit_log_\d{4}_\d{2}) (\d{1,15}) ([0-9a-f]{64})$/

export const wordSeal = ({ chain, position, hash }: KeptSeal): string => `${chain} ${position} ${hash}`

export function parseSeals(text: string): KeptSeal[] {
  const lines = text.split('\n').map((each) => each.trim())
  return lines
    .filter((each) => each !== '' && !each.startsWith('#'))
    .map((each) => {
      const [, chain, position, hash] = line.exec(each) ?? []
      if (chain === undefined || position === undefined || hash === undefined)
        throw new Error(`Not a seal as --seal prints them: ${each}`)
      return { chain, position: Number(position), hash }
    })
}
