/** Doses that sentences tell of, each with the course and the date of its own clause. */
import type { FoundFact } from '../../document/found-fact.ts'
import { findVaccines, vaccineCourse, type VaccineCourse, type VaccineMatch } from '../../terminology/vaccine-words.ts'
import { assertionOf, findCues } from '../statements/context.ts'
import type { LabelledDate } from '../statements/dated-context.ts'
import type { Range, Reading } from '../found.ts'
import type { Segment } from '../statements/segments.ts'
import { deniedDose, doseDetail, doseFact, givenAt, yearAlone } from './vaccine-dose.ts'

const vaccineWord = /vaccin|immuni[sz]|booster|\bshots?\b|\bjabs?\b|\bvax\b/i
const vaccineAfter =
  /^\s*#\s?\d|^\W{0,2}(?:\([^)]*\)\s*)?(?:(?!despite|without|after|before|since|following|prior|no\b)\w+\s){0,2}?(?:vaccin|immuni[sz]|shots?\b|jabs?\b|vax\b|boosters?\b|needle)/i
const vaccineBefore = /(?:vaccinat\w*|immuni[sz]\w*|vaccines?|boosters?|shots?|jabs?|up to date|UTD)\b[^.;]{0,40}$/i

export function statedDoses(reading: Reading, segment: Segment, place: number, range: Range = segment): FoundFact[] {
  const text = reading.document.text
  const isRecord = segment.role.slug === 'immunisations'
  const tokens = segment.tokens
  const inRange = (match: VaccineMatch) => match.start >= range.start && match.end <= range.end
  const matches = findVaccines(tokens).filter(
    (match) => inRange(match) && (isRecord || isVaccine(text, segment, match)),
  )
  const doses = withoutGlosses(text, matches)
  const cues = doses.length > 0 ? findCues(tokens) : []
  const courses = coursesOf(text, range, doses)
  return doses.flatMap((match, order) => {
    const { status } = assertionOf(tokens, cues, match)
    if (status === 'family' || status === 'other' || isAboutReaction(text, range, match)) return []
    const course = courses[order] ?? null
    if ((status === 'negated' && course !== 'given') || course === 'not_given') return [deniedDose(reading, match)]
    if (course === 'to_come' || (isRecord && isIllness(text, range, match))) return []
    if (course === null && !isRecord && !isDated(reading, range, match)) return []
    if (plans.has(segment.role.slug ?? '') && !done.test(text.slice(range.start, range.end))) return []
    const end = doses[order + 1]?.start ?? range.end
    const start = order === 0 ? range.start : match.start
    const beside = `${text.slice(start, end)} ${order === doses.length - 1 ? sentenceBelow(reading, segment, place) : ''}`
    const date = dateOf(reading, range, doses, order)
    const fact = doseFact(reading, match, { date, detail: doseDetail(beside) })
    const contact = /\btoday\b/i.test(beside) ? reading.dates.governing(match.start, ['visit', 'document']) : null
    return [date || !contact ? fact : givenAt(fact, contact)]
  })
}

/** "Had chickenpox in 2015" among vaccines tells of the disease. */
export function isIllness(text: string, range: Range, match: VaccineMatch): boolean {
  if (!match.isDisease || vaccineWord.test(text.slice(range.start, range.end))) return false
  return /\b(?:had|history of|hx of|contracted|caught|wild|natural|past|previous|confirmed|recovered from|infection with)\s+(?:\w+\s)?$/i.test(
    text.slice(range.start, match.start),
  )
}

/** "Flu vax 3/5/24": a vaccine with nothing but its date. */
function isDated(reading: Reading, range: Range, match: VaccineMatch): boolean {
  const text = reading.document.text
  const after =
    /^\s*(?:vaccine|vax|shot|jab|booster|#\d)?[\s:–(-]*(?:on |given )?/i.exec(text.slice(match.end, range.end))?.[0] ??
    ''
  const start = match.end + after.length
  return reading.dates.within(start, range.end).some((date) => date.start === start && isOfDose(text, date))
}

const plans = new Set(['plan', 'follow-up', 'discharge-instructions', 'assessment-and-plan'])
const done = /\b(?:given|administered|received|vaccinated|immuni[sz]ed|injected)\b/i

/** "No reaction to the influenza vaccine" says nothing of whether or when it was given. */
function isAboutReaction(text: string, range: Range, match: Range): boolean {
  return /\b(?:reactions?|allerg\w*|side effects?|complications?|anaphylaxis)\s+(?:to|from|after|following|with)\b[^.;]*$/i.test(
    text.slice(range.start, match.start),
  )
}

/** The dose's own date stands behind its name, else before it; behind further names only where they share all that follows. */
function dateOf(reading: Reading, range: Range, doses: readonly Range[], order: number): LabelledDate | null {
  const text = reading.document.text
  const dates = reading.dates.within(range.start, range.end).filter((date) => isOfDose(text, date))
  const own = doses[order]
  if (!own) return null
  const last = doses.findIndex((_, place) => {
    const next = doses[place + 1]
    return (
      place >= order &&
      !(
        next &&
        /^(?:[\s,&/+]|#\s?\d|\(?(?:dose|booster) \d\)?)*(?:and\s)?$/i.test(
          text.slice(doses[place]?.end ?? 0, next.start),
        )
      )
    )
  })
  const from = doses[last]?.end ?? own.end
  const to = doses[last + 1]?.start ?? range.end
  const behind = dates.find((date) => date.start >= from && date.end <= to && date.start - from < 120)
  const before = order === 0 ? dates.findLast((date) => date.end <= own.start && own.start - date.end < 60) : undefined
  const [line] = reading.segments.filter((segment) => segment.start <= from && from <= segment.end)
  const year = yearAlone(
    from,
    /^\s*(?:in\s|\()?(?:19|20)\d\d\b/.exec(text.slice(from, to))?.[0] ?? '',
    line?.firstLine ?? 0,
  )
  return behind ?? year[0] ?? before ?? null
}

/** "Received" dates a sample on a report, and a dose here; what is due or expires is neither. */
function isOfDose(text: string, { label, start }: LabelledDate): boolean {
  if (label !== 'other') return label !== 'birth'
  return /\breceived\b(?:(?!\b(?:due|next|exp\w*|valid|repeat)\b)[^.;]){0,60}$/i.test(
    text.slice(Math.max(0, start - 70), start),
  )
}

/** A disease is its vaccine only where the words say so; a trade name or "MMR" always is. */
function isVaccine(text: string, segment: Segment, match: VaccineMatch): boolean {
  const printed = text.slice(match.start, match.end)
  if (vaccineWord.test(printed)) return true
  const after = text.slice(match.end, Math.min(segment.end, match.end + 40))
  const before = text.slice(Math.max(segment.start, match.start - 60), match.start)
  const isNamed = !match.isDisease && printed.length >= 3
  return isNamed || vaccineAfter.test(after) || vaccineBefore.test(before)
}

/** "Tdap (Boostrix, GSK)", "Comirnaty (Pfizer) COVID-19 vaccine": one dose under two names. */
function withoutGlosses(text: string, matches: readonly VaccineMatch[]): VaccineMatch[] {
  return matches.reduce<VaccineMatch[]>((kept, match, order) => {
    const above = matches[order - 1]
    const last = kept.at(-1)
    const between = above ? text.slice(above.end, match.start) : null
    if (!above || !last || between === null) return [...kept, match]
    if (/^[^.;]{0,40}\($|^\s?\([^)]{2,25}\)\s?$/.test(between)) return kept
    // "Pneumococcal conjugate PCV13": the disease and the vaccine's own name in one.
    const isOneName = /^\s?(?:(?!and\b|or\b|then\b|plus\b|with\b)\p{L}+\s){0,2}$/u.test(between)
    if (!isOneName || !(above.isDisease || match.isDisease)) return [...kept, match]
    return [...kept.slice(0, -1), { ...last, end: match.end, to: match.to }]
  }, [])
}

const clauseEnd = /[;|•]|,?\s\b(?:but|however|although|whereas|and (?:is|was|has))\b|,/gi

/** Each vaccine's own clause decides; one that says nothing goes with the clause before it, else with the next that does. */
function coursesOf(text: string, range: Range, matches: readonly VaccineMatch[]): (VaccineCourse | null)[] {
  const cuts = Array.from(text.slice(range.start, range.end).matchAll(clauseEnd), (cut) => range.start + cut.index)
  const clauses = [range.start, ...cuts].map((start, order) => ({ start, end: cuts[order] ?? range.end }))
  const courses = new Map<number, VaccineCourse | null>()
  const saidIn = (place: number): VaccineCourse | null => {
    const clause = clauses[place]
    if (clause === undefined) return null
    if (!courses.has(place)) courses.set(place, vaccineCourse(text.slice(clause.start, clause.end)))
    return courses.get(place) ?? null
  }
  return matches.map((match) => {
    const own = clauses.findIndex(({ start, end }) => start <= match.start && match.start < end)
    const order = [...clauses.keys()]
    const nearest = [own, ...order.slice(0, own).toReversed(), ...order.slice(own + 1)]
    const decisive = nearest.find((place) => saidIn(place) !== null)
    return decisive === undefined ? null : saidIn(decisive)
  })
}

/** "Batch no: P1002, left deltoid. Manufacturer: Sanofi." often are sentences of their own. */
function sentenceBelow(reading: Reading, segment: Segment, place: number): string {
  const below: string[] = []
  for (const next of reading.segments.slice(place + 1, place + 5)) {
    const words = reading.document.text.slice(next.start, next.end)
    const isDetail = /^\W{0,2}(?:batch|lot|site|manufacturer|mfr|exp\w*|dose|route|administered in|given in)\b/i.test(
      words,
    )
    if (next.kind === 'heading' || next.firstLine > segment.endLine + below.length || !isDetail) break
    if (findVaccines(next.tokens).length > 0) break
    below.push(words)
  }
  return below.join(' ')
}
