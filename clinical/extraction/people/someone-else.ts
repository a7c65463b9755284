/** Names and birth dates that a form asks for beside the patient's: of relatives, contacts, and whoever signs. */
import type { LabelledDate } from '../statements/dated-context.ts'
import type { Reading } from '../found.ts'
import { asksForSomeoneElse } from './person-names.ts'

/** "Emergency contact" above a label that alone would be the patient's, or "Designation" below it. */
export function isAboutSomeoneElse(reading: Reading, place: number, from: number): boolean {
  const { lines, text } = reading.document
  const line = lines[place]
  if (!line) return false
  const before = text
    .slice(line.start, from)
    .split('\t')
    .map((cell) => cell.trim())
  return before.some(asksForSomeoneElse) || isInBlockOfAnother(reading, place) || isSigned(reading, place, from)
}

function isInBlockOfAnother(reading: Reading, place: number): boolean {
  const { lines, sections, text } = reading.document
  const heading = sections[lines[place]?.section ?? -1]?.heading ?? null
  if (heading !== null && asksForSomeoneElse(heading)) return true
  const above = lines.slice(Math.max(0, place - 4), place).map(({ start, length }) => text.slice(start, start + length))
  const since = above.slice(above.findLastIndex((words) => /\b(?:patient|client|resident)\b/i.test(words)) + 1)
  return since.some((words) => asksForSomeoneElse(words.replace(/\s*:\s*$/, '')))
}

const ofSigner = /(?:^|[\t\n ])(?:signature|signed|designation|position|role|profession|qualifications?|provider n)/i

/** "Name: … Designation: … Signature: …" is who filled the form in. */
function isSigned(reading: Reading, place: number, from: number): boolean {
  const { lines, text } = reading.document
  const last = lines[Math.min(place + 2, lines.length - 1)]
  return last !== undefined && ofSigner.test(text.slice(from, last.start + last.length))
}

const birthLabel = String.raw`\(?(?:D\.?\s?O\.?\s?B|date of birth|birth ?date|born|birth)\b[^\p{L}]*$`
const labelledBirth = new RegExp(`([^\\t:;|]*?)\\s*${birthLabel}`, 'iu')
const labelOfLine = /([\p{L}][\p{L}'’ ./-]{1,40}?)\s*[:\t]/gu
const ofPatient = /\b(?:patient|client|resident|child|baby|member|name)\b/i

/** "Mother's date of birth", "Next of kin: Ann Lee, DOB …", or a birth date in a block about somebody else. */
export function isBirthOfAnother(reading: Reading, date: LabelledDate): boolean {
  const { lines, text } = reading.document
  const line = lines[date.line]
  if (!line) return false
  const before = text.slice(line.start, date.start)
  const label = labelledBirth.exec(before)?.[1]?.trim() ?? ''
  if (asksForSomeoneElse(label)) return true
  const lead = before.replace(new RegExp(birthLabel, 'iu'), '')
  const asked = Array.from(lead.matchAll(labelOfLine), ([, words = '']) => words.trim())
  const nearest = asked.findLast((words) => asksForSomeoneElse(words) || ofPatient.test(words))
  return nearest === undefined ? isInBlockOfAnother(reading, date.line) : asksForSomeoneElse(nearest)
}
