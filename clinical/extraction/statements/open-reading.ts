import type { MappedDocument } from '../../document/mapped.ts'
import { readDates } from './dated-context.ts'
import type { Reading } from '../found.ts'
import { readLineRoles } from './line-roles.ts'
import { readSpecimens } from '../results/specimens.ts'
import { segmentDocument } from './segments.ts'

/** Sections, statements and dates of a document, for whoever reads facts out of it or checks them. */
export function openReading(document: MappedDocument): Reading {
  const roles = readLineRoles(document)
  return {
    document,
    roles,
    dates: readDates(document),
    segments: segmentDocument(document, roles),
    headings: readSpecimens(document),
  }
}
