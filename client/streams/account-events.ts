import type { Transport } from '../transport.ts'
import type { RealtimeEvent } from '../types.ts'
import { followEvents } from './follow.ts'
import type { FollowOptions } from './follow.ts'

/** Until the caller stops. What a newer server says besides is passed over. */
export async function* followAccount(transport: Transport, options: FollowOptions = {}): AsyncGenerator<RealtimeEvent> {
  for await (const { id, event, data } of followEvents(transport, '/realtime', options)) {
    if (id === null || !isKnown(event)) continue
    const told: RealtimeEvent = { id, event, data: JSON.parse(data) }
    yield told
  }
}

const known: ReadonlySet<string> = new Set<RealtimeEvent['event']>(['file', 'notification', 'ready', 'reset', 'stage'])
const isKnown = (event: string): event is RealtimeEvent['event'] => known.has(event)
