/**
 * Answers as forms and clinical shorthand give them: "Asthma - N", "Diabetes: yes", "Do you smoke? No", "SOB (+)",
 * "+fever, -cough". An answer speaks of what it stands behind (a sign, of what it stands before) and of nothing else.
 */
import type { Cue, CueCategory } from '../../terminology/cues.ts'
import type { Match } from '../../terminology/lexicon.ts'
import type { Token } from '../../terminology/tokens.ts'

export type AnswerKind = 'no' | 'yes' | 'unsure' | 'open'
type TokenRange = { readonly from: number; readonly to: number }

export type Answer = TokenRange & {
  readonly kind: AnswerKind
  /** What was asked. */
  readonly holds: TokenRange
  /** Items further left that a "no" may mean as well: "PMH: gout, asthma: no". */
  readonly mayHold: TokenRange
}

/** How an answer is joined to what it answers. */
type Form = 'labelled' | 'dashed' | 'bracketed' | 'bare' | 'leading'
/** `from` is where its colon, dash or bracket begins. */
type Mark = TokenRange & { readonly kind: AnswerKind; readonly form: Form; readonly isSign: boolean }

const kindOf: Partial<Record<CueCategory, AnswerKind>> = {
  'answer-no': 'no',
  'answer-yes': 'yes',
  'answer-unsure': 'unsure',
  'answer-open': 'open',
}

const plus = new Set(['+', '＋'])
const minus = new Set(['-', '−', '–', '‐', '‑'])
const separators = new Set([':', '?', '=', '-', '−', '–', '—', '(', '[', '…', '|'])
const stops = new Set([',', ';', '.', ')', ']', '(', '[', '/', '|', '-', '–', '—'])
/** Without a colon or a bracket only these are taken for an answer, and only where another answer stands in the line. */
const plain = /^(?:yes|no|y|n|positive|negative|pos|neg|present|absent|nil|none|denie[sd]|[+-]\s?ve|[+＋−‐‑–-]+)$/i

/** `cues`: the longest cue that begins at each token, if one does. */
export function findAnswers(tokens: readonly Token[], cues: readonly (Match<Cue> | null)[]): Answer[] {
  if (tokens.length < 2) return []
  const marks = withoutStrays(tokens, markAll(tokens, cues))
  return joinChoices(tokens, marks).map((mark, place, all) => {
    const { from, to, kind } = mark
    if (mark.form === 'leading')
      return { from, to, kind, holds: aheadOf(tokens, mark, all[place + 1]), mayHold: { from, to: from } }
    const asked = behindOf(tokens, mark, all[place - 1])
    const last = isSureOfList(tokens, mark, asked) ? asked.from : lastItem(tokens, asked)
    return { from, to, kind, holds: { from: last, to: asked.to }, mayHold: { from: asked.from, to: last } }
  })
}

/** A list that opens its line and ends in a colon is one question; behind another label it may be a list of its own. */
function isSureOfList(tokens: readonly Token[], mark: Mark, asked: TokenRange): boolean {
  return mark.form !== 'dashed' && tokens[asked.from - 1]?.text !== ':'
}

function lastItem(tokens: readonly Token[], { from, to }: TokenRange): number {
  for (let place = to - 1; place >= from; place -= 1) if (tokens[place]?.text === ',') return place + 1
  return from
}

/** "Nausea, vomiting: denies" denies both; in "Cough, fever (-)" the sign is the fever's alone. */
function behindOf(tokens: readonly Token[], mark: Mark, before: Mark | undefined): TokenRange {
  const floor = before === undefined || before.form === 'leading' ? 0 : before.to
  const isList = mark.form === 'labelled' || mark.form === 'dashed'
  let from = mark.from
  while (from > floor && !endsTerm(tokens[from - 1]?.text ?? '', isList) && !isDose(tokens, from - 1)) {
    from -= 1
    if (tokens[from]?.startsCell) break
  }
  return { from, to: mark.from }
}

function aheadOf(tokens: readonly Token[], mark: Mark, next: Mark | undefined): TokenRange {
  const limit = next?.from ?? tokens.length
  let to = mark.to
  while (to < limit && !/^[,;.:/]$/.test(tokens[to]?.text ?? '')) to += 1
  return { from: mark.to, to }
}

/** "Aspirin 100 mg daily, substitution: N" asks nothing of the aspirin. */
function isDose(tokens: readonly Token[], place: number): boolean {
  const unit = /^(?:mg|mcg|ug|g|ml|units?|iu|tab(?:let)?s?|caps?(?:ules?)?|puffs?)$/i
  const [number = '', next = ''] = [tokens[place]?.text, tokens[place + 1]?.text]
  return /^\d+(?:mg|mcg|g|ml)$/i.test(number) || (/^\d+$/.test(number) && unit.test(next))
}

function endsTerm(text: string, isList: boolean): boolean {
  if (isList && text === ',') return false
  return /^(?:[,;.:?]|but|however|although)$/i.test(text)
}

function markAll(tokens: readonly Token[], cues: readonly (Match<Cue> | null)[]): Mark[] {
  const marks: Mark[] = []
  for (let place = 0; place < tokens.length; place += 1) {
    const match = cues[place] ?? null
    const mark = signAt(tokens, place) ?? wordAt(tokens, place, match)
    if (mark) marks.push(mark)
    // "Not present" is no "present".
    place = Math.max(place, (mark ?? match)?.to ?? 0, place + 1) - 1
  }
  return marks
}

function wordAt(tokens: readonly Token[], place: number, match: Match<Cue> | null): Mark | null {
  const kind = match?.terms.map(({ meaning }) => kindOf[meaning.category]).find((known) => known !== undefined)
  if (!match || !kind || !isAsWritten(tokens, match)) return null
  const printed = printedOf(tokens, match)
  const from = separatorBefore(tokens, place)
  if (isVe(printed) && isLeading(tokens, place) && isWord(tokens[match.to])) {
    return tokens[match.to]?.text.toLowerCase() === 'for'
      ? null
      : { from: place, to: match.to, kind, form: 'leading', isSign: true }
  }
  if (from === 0) return null
  const form = formOf(tokens, from, match)
  const isShort = printed.length === 1
  if (form === 'bare' && (!plain.test(printed) || (isShort && /\d/.test(tokens[from - 1]?.text ?? '')))) return null
  if (isShort && ((form === 'bare' && printed !== printed.toUpperCase()) || isInSlashes(tokens, match))) return null
  const isPlainYes = form === 'labelled' && /^yes$/i.test(printed)
  if (!isPlainYes && !isEndOfAnswer(tokens, match.to, form === 'bare' && !yesOrNo.test(printed))) return null
  const isClosed = form === 'bracketed' && /^[)\]]$/.test(tokens[match.to]?.text ?? '')
  const to = isClosed ? match.to + 1 : match.to
  return { from, to, kind, form, isSign: isVe(printed) }
}

/** "SOB (+)", "SOB +", "+SOB": a dash alone is as often a bullet or a hyphen, so what surrounds it has to speak for a sign. */
function signAt(tokens: readonly Token[], place: number): Mark | null {
  const sign = tokens[place]?.text ?? ''
  if (!plus.has(sign) && !minus.has(sign)) return null
  let to = place + 1
  while (plus.has(sign) && tokens[to]?.text === sign) to += 1
  const kind = plus.has(sign) ? 'yes' : 'no'
  const [left, right] = [tokens[place - 1], tokens[to]]
  if (left?.text === '/' || right?.text === '/') return null
  if (place > 1 && /^[([]$/.test(left?.text ?? '') && /^[)\]]$/.test(right?.text ?? ''))
    return { from: place - 1, to: to + 1, kind, form: 'bracketed', isSign: true }
  const touchesLeft = left !== undefined && left.end === tokens[place]?.start
  const touchesRight = right !== undefined && right.start === tokens[to - 1]?.end
  const isBehind = right === undefined || /^[,;)]$/.test(right.text) || (touchesLeft && !touchesRight)
  if (isWord(left) && isBehind) return { from: place, to, kind, form: 'bare', isSign: true }
  const isBefore = isLeading(tokens, place) || (touchesRight && !touchesLeft)
  if (!isBefore || !/^\p{L}/u.test(right?.text ?? '') || right?.text === 've') return null
  return touchesRight || plus.has(sign) || left !== undefined
    ? { from: place, to, kind, form: 'leading', isSign: true }
    : null
}

/** Bare words and signs count where the line answers more than once; minus signs before words only beside a plus. */
function withoutStrays(tokens: readonly Token[], marks: readonly Mark[]): Mark[] {
  const hasPlus = marks.some((mark) => mark.form === 'leading' && mark.kind === 'yes')
  const hasMinus = marks.some((mark) => mark.form === 'leading' && mark.kind === 'no')
  const others = marks.filter((mark) => mark.form !== 'leading')
  const isPair = (mark: Mark) => mark.from > 0 && mark.to === tokens.length && tokens.length <= 6 && !mark.isSign
  return marks.filter((mark) => {
    if (mark.form === 'leading') return hasPlus && hasMinus
    return mark.form !== 'bare' || others.length > 1 || isPair(mark) || (mark.isSign && mark.kind === 'yes')
  })
}

/** "Asthma: Yes / No" with nothing ticked is no answer. */
function joinChoices(tokens: readonly Token[], marks: readonly Mark[]): Mark[] {
  const joined: Mark[] = []
  for (const mark of marks) {
    const last = joined.at(-1)
    const isChoice =
      last !== undefined &&
      last.form !== 'leading' &&
      mark.form !== 'leading' &&
      tokens.slice(last.to, mark.from).every(({ text }) => /^(?:\/|\||or)$/i.test(text))
    const kind = last?.kind === mark.kind ? mark.kind : 'open'
    // "Asthma (Y/N): N" is answered after all.
    const isAnswered =
      last?.kind === 'open' &&
      mark.form === 'labelled' &&
      tokens.slice(last.to, mark.from).every(({ text }) => /^[)\]]$/.test(text))
    if (last && isAnswered) joined[joined.length - 1] = { ...last, to: mark.to, kind: mark.kind }
    else if (isChoice) joined[joined.length - 1] = { ...last, to: mark.to, kind }
    else joined.push(mark)
  }
  return joined
}

function formOf(tokens: readonly Token[], from: number, match: TokenRange): Form {
  const opening = tokens[match.from - 1]?.text ?? ''
  if (from < match.from && /^[([]$/.test(opening)) return 'bracketed'
  const joining = tokens.slice(from, match.from)
  if (joining.some(({ text }) => text === ':' || text === '?' || text === '=' || text === '…' || text === '|'))
    return 'labelled'
  if (joining.length > 0) return 'dashed'
  return isApart(tokens[from - 1], tokens[from]) ? 'labelled' : 'bare'
}

function separatorBefore(tokens: readonly Token[], place: number): number {
  let from = place
  while (from > 0 && isSeparator(tokens, from - 1)) from -= 1
  return from
}

/** Dots only where they lead from a question to its answer. */
function isSeparator(tokens: readonly Token[], place: number): boolean {
  const text = tokens[place]?.text ?? ''
  if (text === '.') return tokens[place - 1]?.text === '.' || tokens[place + 1]?.text === '.'
  return separators.has(text)
}

/** The answer is over: at a stop, in a new column, or where the next question begins. */
function isEndOfAnswer(tokens: readonly Token[], to: number, isVerb: boolean): boolean {
  const next = tokens[to]
  if (next === undefined || isApart(tokens[to - 1], next)) return true
  if (next.text === '.') return !/^\d/.test(tokens[to + 1]?.text ?? '')
  if (stops.has(next.text)) return !isHyphen(tokens, to)
  if (/^(?:and|but|or)$/i.test(next.text)) return false
  if (/^(?:yes|no|y|n|unsure|unknown)$/i.test(next.text)) return true
  return !isVerb && /^\p{Lu}/u.test(next.text) && isQuestion(tokens, to)
}

/** "SOB/N/V" names nausea; "Y/N" is a choice. */
function isInSlashes(tokens: readonly Token[], { from, to }: TokenRange): boolean {
  const beside = [from - 2, to + 1].filter((_, side) => tokens[side === 0 ? from - 1 : to]?.text === '/')
  return beside.map((place) => tokens[place]?.text ?? '').some((text) => isWordText(text) && !yesOrNo.test(text))
}

function isHyphen(tokens: readonly Token[], place: number): boolean {
  const [left, dash, right] = [tokens[place - 1], tokens[place], tokens[place + 1]]
  return dash?.isJoiner === true && left?.end === dash.start && right?.start === dash.end
}

/** A few words that end in a colon or question mark, or in an answer. */
function isQuestion(tokens: readonly Token[], from: number): boolean {
  for (let place = from + 1; place < Math.min(tokens.length, from + 9); place += 1) {
    const text = tokens[place]?.text ?? ''
    if (/^[:?=]$/.test(text)) return true
    if (yesOrNo.test(text) && tokens[place - 1]?.text !== '/') return true
    if (/^[([–-]$/.test(text) && /^(?:yes|no|[ynYN+−-])$/i.test(tokens[place + 1]?.text ?? '')) return true
    if (/^[,;.]$/.test(text)) return false
  }
  return false
}

function isLeading(tokens: readonly Token[], place: number): boolean {
  const left = tokens[place - 1]
  return left === undefined || /^[,;:/(]$/.test(left.text) || /^(?:and|but)$/i.test(left.text)
}

/** "neg" is not "negs", and the lexicon forgives a misread letter: answers must be printed as they are known. */
function isAsWritten(tokens: readonly Token[], match: TokenRange & { terms: readonly { text: string }[] }): boolean {
  const printed = bareText(printedOf(tokens, match))
  return match.terms.some((term) => bareText(term.text) === printed)
}

function printedOf(tokens: readonly Token[], { from, to }: TokenRange): string {
  return tokens
    .slice(from, to)
    .map((token) => token.text)
    .join(' ')
}

const yesOrNo = /^(?:yes|no|[yn])$/i
const isWordText = (text: string): boolean => /^[\p{L}\p{N}]/u.test(text)
const bareText = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[\s‐‑–-]/g, '')
    .replace('’', "'")
const isVe = (printed: string): boolean => /^[+−–-]\s?ve$/i.test(printed)
const isWord = (token: Token | undefined): boolean => token !== undefined && isWordText(token.text)
const isApart = (left: Token | undefined, right: Token | undefined): boolean =>
  left !== undefined && right !== undefined && (right.startsCell || right.start - left.end >= 2)
