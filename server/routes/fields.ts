import { z } from 'zod'
import { invalidRequest } from '../plugins/errors.ts'

/** Fields that many routes share, each in one form everywhere. */
export const idField = z.uuid()
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
