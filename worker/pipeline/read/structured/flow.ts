/** A document without pages of its own (Word, RTF, text, messages) on its way to being laid out. */
export type FlowRun = { readonly text: string; readonly isBold: boolean }

export type FlowBlock =
  | { readonly kind: 'paragraph'; readonly runs: readonly FlowRun[] }
  /** Rows of cells of runs. */
  | { readonly kind: 'table'; readonly rows: readonly (readonly (readonly FlowRun[])[])[] }
  /** One line whose spaces mean something. */
  | { readonly kind: 'preformatted'; readonly text: string }
  | { readonly kind: 'page break' }

export function plain(text: string): FlowRun {
  return { text, isBold: false }
}

export function bold(text: string): FlowRun {
  return { text, isBold: true }
}

export function paragraph(...runs: FlowRun[]): FlowBlock {
  return { kind: 'paragraph', runs }
}

export function printed(runs: readonly FlowRun[]): string {
  return runs.map(({ text }) => text).join('')
}
