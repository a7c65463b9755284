import { z } from 'zod'
import { consequences } from './findings.ts'
import type { Finding } from './findings.ts'

/** What the scanning child saw in a file. */
export type Inspection = { readonly pageCount: number | null; readonly findings: readonly Finding[] }

export const inspectionSchema: z.ZodType<Inspection> = z.object({
  pageCount: z.number().int().nonnegative().nullable(),
  findings: z.array(z.custom<Finding>((value) => typeof value === 'string' && value in consequences)),
})

export const scanTaskSchema = z.object({
  path: z.string(),
  mimeType: z.string().nullable(),
  maxPages: z.number(),
  maxPixels: z.number(),
})
export type ScanTask = z.infer<typeof scanTaskSchema>
