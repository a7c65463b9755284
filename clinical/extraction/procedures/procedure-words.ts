/**
 * What a sentence says of a procedure: done, still to come, or not wanted. Of several words the one that stands nearest
 * decides: "had a colonoscopy and is awaiting surgery" tells of one that was and one that will be.
 */
import type { Range } from '../found.ts'

export type SaidOfProcedure = 'done' | 'planned' | 'declined'

const plannedBefore =
  /\b(?:plan(?:s|ning|ned)?(?: is| was)? (?:for|to|on)|plan(?:ned)?\s*[:=-]|schedul(?:ed?|ing)|booked|wait-?listed|(?:waiting|wait|operating|theatre) list|listed|await(?:ing|s|ed)?|consider(?:ed|ing|ation)?|referr(?:ed|al|ing)|refer|to (?:have|undergo|get|arrange|discuss|consider|organi[sz]e)|(?:may|might|could|should|would|will|shall|can|must|needs? to|ought to)(?: \w+){0,3}? (?:be|need|require|have|undergo|benefit|get|obtain|order|consider|arrange|offer|recommend|proceed|do|repeat|discuss|like|suggest)|arrang(?:e|ed|ing)|organi[sz](?:e|ed|ing)|request(?:ed|ing)?|recommend(?:ed|s|ing|ation)?|suggest(?:ed|s)?|advis(?:ed?|ing)|candidate|suitable|fit|eligible|assessment|work-?up|proceed(?:ing)?(?: on)? to|due|overdue|upcoming|would (?:be|benefit)|order(?:ed|s)?|repeat|need(?:s|ed|ing)?|requir(?:es?|ing)|offer(?:ed|ing|s)?|discuss(?:ed|ing|ion)?|options?|pros and cons|risks?(?: and benefits)?|benefits|consent(?:ed|ing|s)?|possib(?:le|ility)|potential(?:ly)?|proposed|pending|hop(?:es?|ing)|want(?:s|ed|ing)?|keen|interested|prefer(?:s|red)?|wish(?:es|ing)?|thinking|contemplating|decid(?:e|ing)|if|unless|prior to|before|until|next|future|plan|aim(?:ing)?|for consideration|indications? for|screening|versus|vs)\s+(?:[\p{L}/'’-]+\s+){0,6}$|\b(?:plan|p|rec)\s*:\s*(?:[\p{L}-]+\s+){0,4}$/iu
const doneBefore =
  /\b(?:underwent|undergone|had|has had|have had|having had|status[ -]post|s\/p|was performed|performed|carried out|completed|received|post|following|after|since|previous(?:ly)?|prior|past|old|history of|hx of|h\/o|show(?:s|ed|ing)|reveal(?:s|ed|ing)|demonstrat(?:es|ed|ing)|proceeded (?:on )?to|taken (?:to theatre )?for|treated with|managed with|required|requiring|did|repeated|last|recent|initial|s\/p|on|via|by|from|with|during)\s+(?:[\p{L}\d/'’-]+\s+){0,5}$/iu
/** Enough to say that it was, however far in front of the name. */
const doneFarBefore =
  /\b(?:underwent|has undergone|had undergone|(?:has|have|had) had|had|status[ -]post|s\/p|performed|completed|proceeded (?:on )?to|history of|hx of|h\/o)\b(?![^.;]*\b(?:may|might|will|would|should|could|await\w*|plan\w*|consider\w*|recommend\w*|refer\w*|offer\w*|discuss\w*|arrang\w*|request\w*|schedul\w*|booked|due|need\w*)\b)[^.;]*$/i
const doneBehind =
  /^[^.;]{0,40}?\b(?:was|were|has been|have been|had been|is)?\s*(?:\w+ly\s+)?(?:performed|done|carried out|completed|undertaken|uneventful|unremarkable|successful|normal|negative|positive|clear|show(?:s|ed|ing)|reveal(?:s|ed|ing)|demonstrat(?:es|ed|ing)|confirm(?:s|ed|ing)|found|removed|report(?:s|ed)|at (?:the )?age|as a child|\w+ (?:years?|months?|weeks?) ago|last (?:year|month|week)|yesterday|today)\b/i
const plannedBehind =
  /^[^.;]{0,45}?\b(?:(?:is|was|has been|have been|are|were|be|being)\s+(?:\w+ly\s+)?(?:planned|scheduled|booked|arranged|organi[sz]ed|requested|ordered|considered|discussed|offered|recommended|suggested|advised|proposed|deferred|postponed|pending|awaited|due|indicated|needed|required|an option|warranted|listed|mentioned|explained)|(?:planned|scheduled|booked|arranged|requested|ordered|recommended|offered|discussed|advised|pending|awaited|due)\s*(?:$|[.,;)]|for\b|in\b|on\b|with\b|next\b)|(?:may|might|could|should|would|will|can) (?:be|help|need|require)|to be (?:done|performed|arranged|booked|considered|discussed|organi[sz]ed)|referral|waiting list|wait-?list|next (?:week|month|year|visit)|in (?:\d+|one|two|three|six|twelve) (?:days?|weeks?|months?|years?)(?! ago)|if (?:no|not|symptoms|there|she|he|they|required|needed|persist\w*)|upcoming|candidate|consent form)\b/i
const declinedBehind =
  /^(?:[\s,(–-]|\b(?:which|but|and|however|though|the|he|she|they|patient|has|have|had|was|were|been|is|so far|to date|again|also|considered|discussed|offered|recommended|planned)\b)*\b(?:declin(?:ed|es|ing)|refus(?:ed|es|ing)|not (?:be(?:en)? |yet |\w+ly )?(?:performed|done|carried out|required|needed|indicated|undertaken|possible|available|wanted|tolerated|attended|pursued|proceeded)|never (?:performed|done|happened|carried out|attended)|cancelled|canceled|abandoned before|contraindicated|deferred|withheld|not offered)\b/i
const declinedBefore =
  /\b(?:declin(?:ed|es|ing)|refus(?:ed|es|ing)|did not (?:have|want|undergo|attend|proceed|require|need)|does not (?:want|require|need)|(?:has|have|had) never (?:had|undergone)|not (?:a candidate|suitable|fit|keen|for)|hold(?:ing)? off|no need for|no indication for|unfit for|contraindication to|cancelled|canceled)\s+(?:[\p{L}'’-]+\s+){0,5}$/iu
/** Words of a title or a list: "elective" says how, "repeat" that it was done before. */
const weaklyPlanned = /\b(?:elective|repeat)\s+(?:[\p{L}-]+\s+){0,3}$/iu

/** Words further away speak of something else, and looking for them would take long in text that was made to. */
const farthest = 160

/** Null where the sentence leaves it to its section. */
export function saidOfProcedure(text: string, sentence: Range, name: Range): SaidOfProcedure | null {
  const before = text.slice(Math.max(sentence.start, name.start - farthest), name.start).replace(/\s+/g, ' ')
  const behind = text.slice(name.end, Math.min(sentence.end, name.end + farthest)).replace(/\s+/g, ' ')
  const clause = before.slice(Math.max(before.lastIndexOf(';'), before.lastIndexOf('. ')) + 1)
  if (declinedBehind.test(behind) || declinedBefore.test(clause)) return 'declined'
  const nearest = nearestOf(clause)
  if (nearest === 'planned') return doneBehind.test(behind) && !plannedBehind.test(behind) ? 'done' : 'planned'
  if (plannedBehind.test(behind) && !doneBehind.test(behind) && nearest === null) return 'planned'
  if (nearest === 'done' || doneBehind.test(behind)) return 'done'
  if (doneFarBefore.test(clause)) return 'done'
  return plannedBehind.test(behind) || weaklyPlanned.test(clause) ? 'planned' : null
}

function nearestOf(clause: string): 'done' | 'planned' | null {
  const planned = lastOf(plannedBefore, clause)
  const done = lastOf(doneBefore, clause)
  if (planned < 0 && done < 0) return null
  return planned > done ? 'planned' : 'done'
}

/** Where the last word of its kind stands that still reaches the end of the clause. */
function lastOf(pattern: RegExp, clause: string): number {
  let last = -1
  for (let from = 0; from < clause.length;) {
    const match = pattern.exec(clause.slice(from))
    if (!match) break
    last = from + match.index
    from = last + 1
  }
  return last
}
