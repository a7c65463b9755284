import type { RecordedEvent } from '../../clinical/narration/recorded-event.ts'

/** An event of which only what matters is given. */
export const recorded = (
  changes: Partial<RecordedEvent> & Pick<RecordedEvent, 'id' | 'eventType' | 'name'>,
): RecordedEvent => ({
  assertion: 'present',
  codeSystem: null,
  code: null,
  eventDate: null,
  dateMeaning: null,
  valueText: null,
  unit: null,
  referenceRange: null,
  flag: null,
  dose: null,
  route: null,
  frequency: null,
  clinicalStatus: null,
  indication: null,
  reaction: null,
  relationship: null,
  ...changes,
})
