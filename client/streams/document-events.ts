import type { Transport } from '../transport.ts'
import type { DocumentEvent } from '../types.ts'
import { followEvents } from './follow.ts'
import type { FollowOptions } from './follow.ts'

/** Until the server says that no more is to come. */
export async function* followDocument(
  transport: Transport,
  path: string,
  options: FollowOptions = {},
): AsyncGenerator<DocumentEvent> {
  for await (const { event, data } of followEvents(transport, path, options)) {
    if (event === 'end') return
    if (event !== 'file' && event !== 'stage') continue
    const told: DocumentEvent = JSON.parse(data)
    yield told
  }
}
