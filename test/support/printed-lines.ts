import { sql } from 'drizzle-orm'
import type { Database } from '../../db/client.ts'
import type { NewFact } from '../../db/queries/found-facts.ts'
import { ask, type Account } from './actors.ts'
import { source, type File } from './facts.ts'

/** One line of a page: facts of one list stand under each other. */
export const line = (row: number, changes: Partial<NewFact>): Partial<NewFact> => ({
  findingKey: `${changes.factType ?? 'medication'}:${row * 100}+7:-`,
  concept: null,
  value: null,
  unit: null,
  foundDate: null,
  sources: [source({ textStart: row * 100, y0: row / 50, y1: row / 50 + 0.005 })],
  ...changes,
})
export const dated = (iso: string, meaning: string) => ({
  foundDate: { iso, printed: iso, meaning, certainty: 'printed' },
})
export const medicine = (row: number, factText: string, changes: Partial<NewFact> = {}) =>
  line(row, { factType: 'medication', factText, ...changes })
export const condition = (row: number, factText: string, changes: Partial<NewFact> = {}) =>
  line(row, { factType: 'condition', factText, ...changes })

export const remove = (db: Database, by: Account, file: File) =>
  ask(db, by.actor, sql`select public.delete_shell_file(${file.shellFileId})`)
export const restore = (db: Database, by: Account, file: File) =>
  ask(db, by.actor, sql`select public.restore_shell_file(${file.shellFileId})`)
