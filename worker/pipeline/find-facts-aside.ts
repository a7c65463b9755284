/**
 * Pass 1 by rules without holding up what else the process does: heartbeats, other files, health checks. Short documents
 * are read in place, long ones in a thread of their own, which an abort ends in the middle of a line.
 */
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { FindFacts } from '../../clinical/document/found-fact.ts'
import type { MappedDocument } from '../../clinical/document/mapped.ts'
import { findFacts } from '../../clinical/extraction/find-facts.ts'

type Findings = ReturnType<FindFacts>

/** About 40 ms of work in place, or seven full pages; a thread needs half a second to load its tables first. */
const longText = 20_000

export async function findFactsAside(document: MappedDocument, signal: AbortSignal): Promise<Findings> {
  signal.throwIfAborted()
  return document.text.length <= longText ? findFacts(document) : findInThread(document, signal)
}

async function findInThread(document: MappedDocument, signal: AbortSignal): Promise<Findings> {
  // Loading the document and copying it to the thread take their time each.
  await setImmediate()
  signal.throwIfAborted()
  const thread = new Worker(new URL('./find-facts-thread.ts', import.meta.url), { workerData: document })
  try {
    const ended = once(thread, 'exit', { signal }).then(([code]): never => {
      throw new Error(`The thread ended without an answer (${code}).`)
    })
    const [findings] = await Promise.race([once(thread, 'message', { signal }), ended])
    return findings
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    await thread.terminate()
  }
}
