/** The words that a model may put between what events say: they connect, and claim nothing. Others are refused. */
import type { RecordedEvent } from './recorded-event.ts'

export type ToldStatus = 'present' | 'negated' | 'historical' | 'family' | 'hypothetical' | 'uncertain'

/** A medicine that was stopped is told as one of the past, whatever the line says of it otherwise. */
export function statusOf({ assertion, eventType, clinicalStatus }: RecordedEvent): ToldStatus {
  if (assertion !== 'present') return assertion
  if (eventType === 'medication' && (clinicalStatus === 'stopped' || clinicalStatus === 'completed'))
    return 'historical'
  if (clinicalStatus === 'resolved') return 'historical'
  return clinicalStatus === 'planned' ? 'hypothetical' : 'present'
}

const connecting = new Set(
  `a an the this that these there it its which both also each is are was were be been has have had of in on at by to as with for
  document report record patient listed recorded noted named measured reported given shown states stated says said known
  value values result results reading readings level levels test tests measurement measurements
  printed range reference mark marked flag flagged date dated
  medicine medicines medication medications dose strength frequency route
  allergy allergies reaction immunisation immunisations immunization immunizations vaccine vaccination
  procedure procedures problem problems condition conditions diagnosis diagnoses symptom symptoms finding findings
  that`
    .split(/\s+/)
    .filter(Boolean),
)

const cues: ReadonlyMap<string, ToldStatus> = new Map([
  ...words('negated', 'no not denied denies without never nil none'),
  ...words('historical', 'past previously previous formerly former history stopped ceased resolved'),
  ...words('family', 'family'),
  ...words('hypothetical', 'planned may might due'),
  ...words('uncertain', 'possible possibly suspected uncertain'),
])

export const isConnecting = (word: string): boolean => connecting.has(word)
/** null: it is not said with this word whether something is so. */
export const statusOfCue = (word: string): ToldStatus | null => cues.get(word) ?? null

function words(status: ToldStatus, list: string): (readonly [string, ToldStatus])[] {
  return list.split(' ').map((word) => [word, status] as const)
}
