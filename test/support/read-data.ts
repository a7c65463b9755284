import type { FoundFact } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { findFacts } from '../../clinical/extraction/find-facts.ts'
import { forRules, withStated } from '../../worker/pipeline/stated-facts.ts'
import { mapBytes } from './read-bytes.ts'

export type ReadData = {
  readonly document: MappedDocument
  /** What the file states in codes. */
  readonly stated: readonly FoundFact[]
  /** What the rules found beside it. */
  readonly facts: readonly FoundFact[]
}

/** A file read, mapped and searched as a worker does it, without a database. */
export async function readData(file: string, mimeType: string): Promise<ReadData> {
  const document = await mapBytes(file, mimeType)
  return { document, ...withStated(document, findFacts(forRules(document))) }
}

export const saidIn = ({ stated }: ReadData) =>
  stated.filter(({ type }) => type !== 'identity').map(({ text, status }) => [text, status])
