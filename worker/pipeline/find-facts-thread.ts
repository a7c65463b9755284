/** The other side of `find-facts-aside.ts`: one document in, its facts out. */
import { parentPort, workerData } from 'node:worker_threads'
import { findFacts } from '../../clinical/extraction/find-facts.ts'

// Both sides are of one checkout and the document was parsed where it was loaded: nothing to parse again.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(findFacts(workerData))
