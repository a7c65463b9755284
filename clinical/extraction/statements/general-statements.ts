/**
 * What is said of people in general: who a programme is for, what a medicine may do, what an insurance covers. It names
 * conditions and medicines, and states none of them of the patient. Letters full of it are sent to well people, too.
 */
import { once, readTable } from '../../terminology/read-table.ts'
import type { Range, Reading } from '../found.ts'
import type { Segment } from './segments.ts'

/** Stretches that speak of nobody in particular, in the order of the text. */
export function generalStatements(reading: Reading): Range[] {
  const isAdministrative = reading.document.documentClass === 'administrative'
  return reading.segments.flatMap((segment) => {
    if (segment.kind === 'heading') return []
    const { start, end } = segment
    if (isAdministrative && statesNothing(reading, segment)) return [{ start, end }]
    return generalPart(reading.document.text.slice(start, end)).map((part) => ({
      start: start + part.start,
      end: start + part.end,
    }))
  })
}

/** Of a letter about money and appointments: what stands under no clinical heading and is not told with its day. */
function statesNothing({ dates }: Reading, { kind, start, end, role }: Segment): boolean {
  if (role.slug !== null && role.slug !== 'payment-and-administrative' && role.slug !== 'patient-details') return false
  return kind === 'sentence' || dates.within(start, end).length === 0
}

/** From its cue to the end of the sentence, or from the beginning; a word that means the patient ends it. */
function generalPart(sentence: string): Range[] {
  const { ahead, around } = generalCues()
  if (around.test(sentence)) return aboutPatient.test(sentence) ? [] : [{ start: 0, end: sentence.length }]
  const start = sentence.search(ahead)
  if (start === -1) return []
  const rest = sentence.slice(start)
  const back = rest.search(aboutPatient)
  return [{ start, end: back === -1 ? sentence.length : start + back }]
}

/** "Your" and "you" do not: advice to everybody is written so. */
const aboutPatient = /\b(?:he|she|his|her|hers|him|(?:the|this|our) patient|pt|mr|mrs|ms|miss|master)\b/i

/** `ahead`: general from the cue on; `around`: general as a whole sentence. */
const generalCues = once(() => {
  const rows = readTable('general_cues', ['cue', 'direction'])
  const cuesOf = (direction: string) =>
    new RegExp(
      `(?<![\\p{L}-])(?:${rows
        .filter((row) => row.direction === direction)
        .map(({ cue }) => cue.replaceAll(' ', String.raw`\s+`))
        .join('|')})(?![\\p{L}-])`,
      'iu',
    )
  return { ahead: cuesOf('ahead'), around: cuesOf('around') }
})
