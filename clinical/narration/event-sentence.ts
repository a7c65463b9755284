import type { RecordedEvent } from './recorded-event.ts'

/** One event in one sentence, with nothing in it that is not in its row. */
export function eventSentence(event: RecordedEvent): string {
  return `${upperFirst(clause(event))}.`
}

function clause(event: RecordedEvent): string {
  if (event.assertion === 'negated') return denial(event)
  const name = event.name
  switch (event.eventType) {
    case 'lab_result':
    case 'vital_sign':
      if (event.valueText === null) return `${name} is listed${on(event)}, but its value could not be read`
      return isFact(event)
        ? `${name} was ${value(event)}${on(event)}${range(event)}${flag(event)}`
        : `${name} is named, but not as measured`
    case 'medication':
      return join([name, value(event), use(event)], ' ') + medicineStatus(event)
    case 'allergy':
      return `allergy to ${name}${event.reaction === null ? '' : `, with ${event.reaction}`}${doubt(event)}`
    case 'immunization':
      return event.assertion === 'hypothetical'
        ? `${name} is due${on(event)}`
        : `${name} was given${on(event)}${doubt(event)}`
    case 'procedure':
      return event.assertion === 'hypothetical'
        ? `${name} is planned${on(event)}`
        : `${name}${on(event)}${doubt(event)}`
    case 'family_history':
      return `${name} in the family${event.relationship === null ? '' : ` (${event.relationship})`}`
    default:
      return `${join([name, event.valueText], ': ')}${condition(event)}`
  }
}

/** What the document says is not so. The words of an allergy list are its own: "Nil known". */
function denial(event: RecordedEvent): string {
  switch (event.eventType) {
    case 'allergy':
      return `no allergy; the document says: ${event.name}`
    case 'medication':
      return `${event.name} is not taken`
    case 'immunization':
      return `${event.name} was not given`
    case 'procedure':
      return `${event.name} is said not to have been done`
    case 'social_history':
      return `${event.name} is denied`
    default:
      return `${event.name} is said not to be there`
  }
}

const isFact = (event: RecordedEvent) => event.assertion === 'present' || event.assertion === 'historical'
const doubt = (event: RecordedEvent) =>
  event.assertion === 'uncertain' || event.assertion === 'hypothetical' ? ', not certain' : ''

function condition(event: RecordedEvent): string {
  if (event.assertion === 'uncertain') return ' is thought possible, not certain'
  if (event.assertion === 'hypothetical') return ' is named as something that may come'
  const began =
    event.dateMeaning === 'onset' && event.eventDate !== null ? `, since ${spokenDate(event.eventDate)}` : ''
  const isOver = event.assertion === 'historical' || event.clinicalStatus === 'resolved'
  return isOver ? ` in the past${began}` : ` is recorded${began}`
}

function medicineStatus(event: RecordedEvent): string {
  if (event.clinicalStatus === 'stopped' || event.assertion === 'historical') return ' was stopped or taken before'
  if (event.clinicalStatus === 'planned' || event.assertion === 'hypothetical') return ' is planned'
  return ` is listed${doubt(event)}`
}

/** As printed, with its unit. */
export const value = (event: RecordedEvent): string => join([event.valueText, event.unit], ' ')
function use(event: RecordedEvent): string {
  // Some lists print the strength where others print the dose.
  const dose = event.dose === value(event) ? null : event.dose
  const how = join([dose, event.route, event.frequency], ', ')
  return how === '' ? '' : `(${how})`
}

/** " on 7 March 2019", " in March 2019"; nothing where no date is known. */
export const on = (event: RecordedEvent): string =>
  event.eventDate === null ? '' : ` on ${spokenDate(event.eventDate)}`.replace(/ on (?=\D|\d{4}$)/, ' in ')
const range = (event: RecordedEvent) =>
  event.referenceRange === null ? '' : `; the printed range is ${event.referenceRange}`
const flag = (event: RecordedEvent) => (event.flag === null ? '' : `, printed with the mark ${event.flag}`)

const join = (parts: readonly (string | null)[], between: string) =>
  parts.filter((part) => part !== null && part !== '').join(between)

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/** As exact as printed: "2019", "March 2019", "7 March 2019". */
export function spokenDate(iso: string): string {
  const [year = '', month, day] = iso.split('-')
  const name = month === undefined ? null : (months[Number(month) - 1] ?? null)
  return join([day === undefined ? null : String(Number(day)), name, year], ' ')
}

const upperFirst = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
