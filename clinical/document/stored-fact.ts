/** The parts of a found fact that are kept as JSON, parsed once where they come back. */
import { z } from 'zod'
import type { FactDetail, FoundDate } from './found-fact.ts'

const words = z.string().exactOptional()

const foundDate = z.object({
  iso: z.string().regex(/^\d{4}(-\d\d(-\d\d)?)?$/),
  printed: z.string(),
  meaning: z.enum([
    'collected',
    'reported',
    'onset',
    'performed',
    'given',
    'started',
    'stopped',
    'visit',
    'document',
    'birth',
  ]),
  certainty: z.enum(['printed', 'locale', 'ambiguous']),
})

const factDetail = z.object({
  dose: words,
  route: words,
  frequency: words,
  frequencyCode: words,
  form: words,
  duration: words,
  indication: words,
  prescriber: words,
  clinicalStatus: z.enum(['active', 'completed', 'stopped', 'planned', 'resolved']).exactOptional(),
  isStruckOut: z.boolean().exactOptional(),
  comparator: z.enum(['<', '<=', '>', '>=']).exactOptional(),
  flag: words,
  specimen: words,
  panel: words,
  components: z.array(z.object({ name: z.string(), value: z.string() })).exactOptional(),
  reaction: words,
  severity: words,
  doseNumber: words,
  batch: words,
  site: words,
  manufacturer: words,
  relationship: words,
  onsetAge: words,
  laterality: words,
  bodySite: words,
  encounterType: words,
  provider: words,
  facility: words,
  endDate: words,
  codes: z.array(z.object({ system: z.string(), code: z.string(), display: z.string().nullable() })).exactOptional(),
  ucum: words,
  subject: words,
  identityKind: words,
})

export function readFoundDate(stored: unknown): FoundDate | null {
  return foundDate.nullable().parse(stored)
}

export function readFactDetail(stored: unknown): FactDetail {
  return factDetail.parse(stored)
}
