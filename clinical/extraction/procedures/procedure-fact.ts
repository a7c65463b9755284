/** A procedure: done now, done before, or only meant. */
import type { FactStatus, FoundDate, FoundFact } from '../../document/found-fact.ts'
import type { Concept } from '../../terminology/concepts.ts'
import { assertionOf, type Assertion } from '../statements/context.ts'
import { denialOf } from '../conditions/denied-examination.ts'
import type { MentionContext } from '../statements/mention-context.ts'
import { lateralityWords } from '../conditions/condition-words.ts'
import { foundDate } from '../statements/dated-context.ts'
import { foundFact, type Range } from '../found.ts'
import { saidOfProcedure } from './procedure-words.ts'

export type ProcedureMention = {
  readonly concept: Concept | null
  readonly date: FoundDate | null
  /** An item of a list, or words of a sentence. */
  readonly isListed: boolean
}

export function procedureFact(context: MentionContext, name: Range, mention: ProcedureMention): FoundFact | null {
  const { reading, segment, cues } = context
  const text = reading.document.text
  const at = {
    from: segment.tokens.findIndex((token) => token.end > name.start),
    to: segment.tokens.filter((token) => token.start < name.end).length,
  }
  const assertion = assertionOf(segment.tokens, cues, at)
  const status = statusOf(context, name, mention, assertion)
  if (!status) return null
  const side = lateralityWords.exec(text.slice(name.start, name.end))?.[1]
  return foundFact(reading.document, {
    type: 'procedure',
    name,
    status,
    date: status === 'hypothetical' ? null : (performed(mention.date) ?? contactDate(context, status)),
    detail: {
      clinicalStatus: status === 'hypothetical' ? 'planned' : 'completed',
      ...(side ? { laterality: side.toLowerCase() } : {}),
    },
    parts: [['cue', assertion.cue]],
    concept: mention.concept?.concept || null,
    strength: mention.concept ? (mention.isListed ? 'strong' : 'fair') : 'weak',
  })
}

/** null: said of somebody else. */
export function statusOf(
  { reading, segment }: MentionContext,
  name: Range,
  mention: ProcedureMention,
  assertion: Assertion,
): FactStatus | null {
  const denial = assertion.status === 'negated' ? denialOf(segment, name, mention.concept, assertion.cue) : null
  if (assertion.status === 'family' || assertion.status === 'other' || denial === 'unsure') return null
  if (denial === 'undone') return 'negated'
  const status = denial === 'result' ? 'present' : assertion.status
  const slug = segment.role.slug ?? ''
  const said = saidOfProcedure(reading.document.text, segment, name)
  if (said === 'declined') return 'negated'
  if (said === 'planned') return 'hypothetical'
  const isDone = said === 'done' || mention.date !== null
  if (!isDone && status === 'hypothetical') return 'hypothetical'
  if (/^(?:plan|assessment-and-plan|follow-up|discharge-instructions|goals)$/.test(slug))
    return isDone ? 'historical' : 'hypothetical'
  if (
    /^(?:procedures|imaging|results|findings|technique|hospital-course|examination)$/.test(slug) &&
    status !== 'historical'
  )
    return 'present'
  if (mention.isListed || slug.startsWith('past-')) return 'historical'
  return status === 'historical' || mention.date !== null
    ? 'historical'
    : status === 'uncertain'
      ? 'uncertain'
      : 'present'
}

function performed(date: FoundDate | null): FoundDate | null {
  return date ? { ...date, meaning: 'performed' } : null
}

/** What the document reports as done now was done at its contact; what is past was not. */
function contactDate({ reading, segment }: MentionContext, status: FactStatus): FoundDate | null {
  if (status !== 'present') return null
  for (const labels of [['examined'], ['collected'], ['admitted', 'visit'], ['document']] as const) {
    const date = reading.dates.governing(segment.start, labels)
    if (date) return foundDate(date, 'performed')
  }
  return null
}
