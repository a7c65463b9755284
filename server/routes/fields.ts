import { z } from 'zod'
import { invalidRequest } from '../plugins/errors.ts'

/** Fields that many routes share, each in one form everywhere. */
export const idField = z.uuid()
/** Of routes about one thing: `/documents/:id`. */
export const idParams = z.object({ id: idField })
export const timeField = z.iso.datetime().describe('UTC')
export const dateField = z.iso.date()
export const boxField = z
  .array(z.number())
  .length(4)
  .describe('x0, y0, x1, y1 as fractions of the upright page, from its top left corner')

export const pageOfList = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional().describe('`next_cursor` of the page before.'),
}
export const nextCursorField = z.string().nullable().describe('Opaque; null at the end.')

const idCursor = z.object({ id: z.uuid() })
/** PostgreSQL's own text: a Date would lose its microseconds, and a page its place. */
export const storedTime = z.string().regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,6})?[+-]\d{2}(:\d{2})?$/)
/** Of lists by time, in which several rows may have the same. */
export const timeCursor = z.object({ at: storedTime, id: z.uuid() })

/** Of lists whose newest row has the highest id: the page that a query asks for, as `db/queries` takes it. */
export function newestFirst(query: { readonly limit: number; readonly cursor?: string | undefined }) {
  const { limit, cursor } = query
  return { limit, beforeId: cursor === undefined ? null : decodeCursor(cursor, idCursor).id }
}

/** Cuts the one more off that was asked for to know whether there is a next page. */
export function pageOf<Row extends { readonly id: string }>(
  rows: readonly Row[],
  limit: number,
): { readonly shown: readonly Row[]; readonly next_cursor: string | null } {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { shown, next_cursor: last === undefined ? null : encodeCursor({ id: last.id }) }
}

export const fromTimeOrNull = (time: string | null | undefined): Date | null =>
  time === null || time === undefined ? null : new Date(time)
export const toTime = (date: Date): string => date.toISOString()
export const toTimeOrNull = (date: Date | null): string | null => date?.toISOString() ?? null

export function encodeCursor(place: Readonly<Record<string, string>>): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** A cursor comes back from outside: it is read like any other input. */
export function decodeCursor<T>(cursor: string, shape: z.ZodType<T>): T {
  const place = shape.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')))
  if (!place.success) throw invalidRequest({ errors: [{ path: 'cursor', message: 'is not one of ours' }] })
  return place.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
