/** Whether a medicine is taken, stopped, held, only meant, or of the past: the words nearest to its name decide. */
import type { FactDetail, FactStatus } from '../../document/found-fact.ts'
import { findMedicineCues, type MedicineCue, type MedicineCueHit } from '../../terminology/medicine-cues.ts'
import type { Assertion } from '../statements/context.ts'
import type { SectionRole } from '../statements/section-role.ts'

export type Course = {
  readonly status: FactStatus
  readonly clinicalStatus: NonNullable<FactDetail['clinicalStatus']>
  /** Said of this medicine in so many words, not drawn from the mood of the sentence. */
  readonly isDirect: boolean
}

export type SaidOfMedicine = {
  readonly before: string
  readonly after: string
  readonly status: Assertion['status']
  /** A column of its own says when it ended. */
  readonly isOver?: boolean
}

const stopped: Course = { status: 'historical', clinicalStatus: 'stopped', isDirect: true }
const planned: Course = { status: 'hypothetical', clinicalStatus: 'planned', isDirect: true }
const active: Course = { status: 'present', clinicalStatus: 'active', isDirect: false }
const refused: Course = { status: 'negated', clinicalStatus: 'stopped', isDirect: true }

export function courseOf(role: SectionRole, said: SaidOfMedicine, isDosed: boolean): Course {
  const [before, after] = [cueBefore(said.before), cueAfter(said.after)]
  const isOver = after === 'stopped' || after === 'held'
  const isEnding = before === 'stopped' || before === 'held'
  if (said.status === 'negated' && !isOver && !isEnding) return refused
  if (role.slug === 'ceased-medications' || role.isOver || said.isOver) return stopped
  if (isOver) return stopped
  if (before === 'against' || after === 'against' || neverBegun.test(said.after)) return refused
  // "If she bleeds she should stop apixaban": nothing has stopped.
  if (said.status === 'hypothetical' && isEnding) return planned
  // "Stop spironolactone if potassium is above 5.5": it goes on until then.
  if (isEnding && conditionBehind.test(said.after)) return isDosed ? active : { ...planned, isDirect: false }
  if (after !== 'again' && (isEnding || before === 'past')) return stopped
  if ((before === 'planned' || after === 'planned') && refusal.test(said.after)) return refused
  if (before === 'planned' || after === 'planned') return planned
  if (conditional.test(said.before)) return planned
  if (said.status === 'hypothetical' && !isDosed) return { ...planned, isDirect: false }
  if (said.status === 'historical' && !isDosed)
    return { status: 'historical', clinicalStatus: 'completed', isDirect: false }
  return active
}

/** "Was offered sertraline but declined" */
const refusal = /^[^.;]{0,50}\b(?:declin|refus)(?:ed|es|ing)\b/i

/** "Was considered but not started": nobody takes it. "Not yet started" is to come. */
export const neverBegun =
  /^[^.;]{0,60}?\b(?:not|never)(?: been)? (?:started|commenced|given|prescribed|taken|begun|initiated|dispensed|filled)\b/i
const conditionBehind =
  /^\W*(?:(?:\d[\d.]*\s?(?:mg|mcg|g|units?|mL)?|daily|bd|tds|qid|mane|nocte|tablets?)\b\W*)*(?:if|when|unless)\b/i

/** "If symptoms persist start omeprazole" */
const conditional =
  /\b(?:if|in case|unless|should (?:he|she|they|it|the|symptoms|pain))\b[^.;]*\b(?:start|add|commence|begin|introduce|try|give|use|switch to|change to)\s+(?:\w+\s+){0,2}$/i

/** How far a verb reaches: other medicines, doses and small words may stand between. */
const reachBefore = 45
const reachAfter = 70

/** The last cue before the name that no clause parts from it. */
export function cueBefore(before: string): MedicineCue | null {
  const clause = before.slice(
    Math.max(
      ...[...before.matchAll(/[.;](?!\d)|\b(?:but|so|hence|therefore|instead)\b(?!\s+(?:of|that)\b)/gi)].map(
        (end) => end.index + 1,
      ),
      0,
    ),
  )
  const last = lastCue(clause)
  if (!last || clause.length - last.end > reachBefore) return null
  const between = clause.slice(last.end)
  // "Atorvastatin was stopped and rosuvastatin 5 mg started": the passive is about the one before.
  if (/\b(?:was|were|been|being|is|are)\s+$/i.test(clause.slice(0, last.start)) && isPassive(clause, last)) return null
  // "Ramipril (ceased), atorvastatin 40 mg": what is closed off again was said of the one before.
  if (/^[^\p{L}\d]*\)/u.test(between)) return null
  if (last.cue === 'exchange') return /\b(?:to|with|by|for)\b/i.test(between) ? 'active' : 'stopped'
  // "Consider in future: review of metformin 500 mg": what is meant stands right beside the verb.
  // "Declined a referral, aspirin 100 mg daily": what is refused stands right beside the verb.
  if (last.cue === 'against' && (between.length > 30 || /^[^,]*,\s|.[:)]/.test(between))) return null
  if (
    last.cue === 'planned' &&
    /[:)]|\b(?:while|given|continues?|of|dosing|monitor\w*|check\w*|review\w*|interactions?|side effects?|levels?|refills?|scripts?)\b/i.test(
      between,
    )
  )
    return null
  return last.cue
}

/** "Would consider adding": what is meant is meant, whichever verb follows it. */
function lastCue(clause: string): MedicineCueHit | undefined {
  const [sooner, last] = findMedicineCues(clause, 'before').slice(-2)
  if (!sooner || !last) return last ?? sooner
  const isMeant = (sooner.cue === 'planned' || sooner.cue === 'against') && last.cue === 'active'
  return isMeant && /^\s+(?:on\s+)?$/.test(clause.slice(sooner.end, last.start)) ? { ...last, cue: sooner.cue } : last
}

function isPassive(clause: string, { start, end, cue }: { start: number; end: number; cue: MedicineCue }): boolean {
  return (cue === 'stopped' || cue === 'held' || cue === 'past') && /^[a-z-]+$/i.test(clause.slice(start, end))
}

/** The first cue behind the name, unless it is about a day to come; what was taken up again is taken. */
export function cueAfter(after: string): MedicineCue | null {
  const line = after.split('\n\n')[0] ?? ''
  const end = /[.;](?!\d)|\bbut\b|\bbecause\b/i.exec(line)?.index ?? line.length
  const condition = /\b(?:if|when|unless)\b/i.exec(line)?.index ?? end
  const cues = findMedicineCues(line.slice(0, end), 'after').filter(
    ({ start, cue }) => cue === 'none' || start < condition,
  )
  if (cues.some(({ cue }) => cue === 'again')) return 'again'
  const first = cues.find(({ start, cue }) => start <= reachAfter && cue !== 'none')
  if (!first) return /^[^\n]{0,80}\b(?:CEASED|STOPPED|DISCONTINUED|WITHHELD)\b/.test(after) ? 'stopped' : wasUntil(line)
  const isUndone = cues.some(({ start, cue }) => cue === 'none' && start <= first.start)
  if (isUndone) return null
  if (first.cue === 'against') return aboutThis.test(line.slice(0, first.start)) ? 'against' : null
  // "Amlodipine was changed to lercanidipine"; "changed to 10 mg" is the same medicine.
  if (first.cue === 'exchange') return /^\s*(?:\w+\s){0,2}$/.test(line.slice(first.end)) ? 'stopped' : null
  return first.cue
}

/** "Rosuvastatin 10 mg was discussed; declined": between the name and its refusal stands nothing else that could be refused. */
const aboutThis =
  /^[\s?,:;(–-]*(?:(?:\d[\d.,/]*\s?(?:mg|mcg|g|units?|mL)?|daily|bd|tds|nocte|mane|therapy|treatment|was|is|are|were|be|been|but|and|which|she|he|they|has|patient|pt|currently|therefore|so|offered|discussed|considered|suggested|recommended)[\s,?;–-]*)*$/i

/** "Was on metformin until 2019", "until last year". */
function wasUntil(after: string): MedicineCue | null {
  return /^[^.;]{0,50}\buntil (?:(?:\w+ )?(?:19|20)\d\d|last (?:year|month|week)|(?:he|she|they) (?:stopped|ran out))/i.test(
    after,
  )
    ? 'stopped'
    : null
}
