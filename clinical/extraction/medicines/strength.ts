/** Amounts of a medicine as printed: "500 mg", "500/125 mg", "10 mg/5 mL", "100 units/mL", "92/55/22". */
import { withoutAsides } from './direction-limits.ts'
import type { Range } from '../found.ts'
import type { NamedMedicine } from './medicine-name.ts'

export type Strength = Range & { readonly value: string; readonly unit: string }

const unit =
  '(?:mg|mcgs?|µg|μg|ug|micrograms?|microg|milligrams?|grams?|gm?|units?|IU|U|mL|%|mmol|mEq|ng|nanograms?|million units|kg)(?!\\p{L})'
const amountPattern = new RegExp(
  String.raw`(?<![\d.,/])(\d{1,3}(?:,\d{3})+|\d{1,7}(?:\.\d{1,4})?)(?:\s?(${unit}))?`,
  'giu',
)
const furtherPattern = new RegExp(String.raw`^\s?([/+-])\s?(\d{1,6}(?:\.\d{1,4})?)(?:\s?(${unit}))?(?![\d.])`, 'iu')
const perPattern =
  /^\s?(?:\/\s?(\d{0,3}(?:\.\d)?\s?(?:mL|dose|hours?|hrs?|h|minute|min|puff|actuation|inhalation|application|24 ?h|g|kg|day|tablet|spray|drop))|per\s(mL|hour|minute|dose|puff|actuation|spray))(?!\p{L})/iu

/** The first amount between the offsets that is not the most that may be taken. */
export function strengthIn(text: string, from: number, to: number): Strength | null {
  const slice = withoutAsides(text.slice(from, to))
  for (const match of slice.matchAll(amountPattern)) {
    const strength = amountAt(slice, match)
    if (strength) return { ...strength, start: from + strength.start, end: from + strength.end }
  }
  return null
}

type Amount = { readonly figure: string; readonly unit: string | null; readonly sign: string; readonly end: number }

function amountAt(slice: string, match: RegExpMatchArray): Strength | null {
  const start = match.index ?? 0
  const first = { figure: match[1] ?? '', unit: match[2] ?? null, sign: '', end: start + match[0].length }
  const all = [first, ...furtherAmounts(slice, first.end)]
  const last = all.findLastIndex((amount) => amount.unit !== null)
  const amounts = all.slice(0, last + 1)
  const end = amounts.at(-1)?.end
  // "4.1 mmol/L" is a concentration in blood.
  if (end === undefined || /^\s?\/\s?(?:dL|L\b)/i.test(slice.slice(end))) return null
  const concentration = concentrationOf(amounts)
  if (concentration) return { ...concentration, start, end }
  const per = perPattern.exec(slice.slice(end))
  const behind = (per?.[1] ?? per?.[2])?.replace(/\s+/g, ' ')
  return {
    start,
    end: end + (per?.[0].trimEnd().length ?? 0),
    value: amounts.map(({ figure, sign }, place) => `${place > 0 ? joinedBy(amounts, sign) : ''}${figure}`).join(''),
    unit: `${[...new Set(unitsOf(amounts))].join('/')}${behind === undefined ? '' : `/${behind}`}`,
  }
}

function furtherAmounts(slice: string, from: number): Amount[] {
  const match = furtherPattern.exec(slice.slice(from))
  if (!match) return []
  const end = from + match[0].length
  return [{ sign: match[1] ?? '', figure: match[2] ?? '', unit: match[3] ?? null, end }, ...furtherAmounts(slice, end)]
}

/** "10 mg/5 mL": how much of it in how much; "875 mg/125 mg" are two amounts. */
function concentrationOf([first, second, third]: readonly Amount[]): Pick<Strength, 'value' | 'unit'> | null {
  if (!first?.unit || !second?.unit || third || second.sign !== '/') return null
  const isVolume = /^mL$/i.test(second.unit) || (/^g/i.test(second.unit) && !/^g/i.test(first.unit))
  return isVolume ? { value: first.figure, unit: `${first.unit}/${second.figure} ${second.unit}` } : null
}

function unitsOf(amounts: readonly Amount[]): string[] {
  const printed = amounts.flatMap((amount) => amount.unit ?? [])
  return printed.filter((own, place) => !printed.slice(0, place).some((sooner) => sameUnit(sooner, own)))
}

const sameUnit = (a: string, b: string) => a.toLowerCase() === b.toLowerCase()

/** "4-8 units" is a range; "500/125 mg", "10+5 mg" and "100-25 mg" are two strengths. */
function joinedBy([first, second]: readonly Amount[], sign: string): '-' | '/' {
  return sign === '-' && Number(first?.figure) < Number(second?.figure) ? '-' : '/'
}

const isCombination = (medicine: NamedMedicine) =>
  /[+/]| and /.test(medicine.term.meaning.name) || medicine.isJoint === true

/** "Norco 5-325 mg": of a combination the figures are two strengths, never a range. */
export function asCombination(strength: Strength, medicine: NamedMedicine): Strength {
  return isCombination(medicine) ? { ...strength, value: strength.value.replace('-', '/') } : strength
}

/** "Perindopril 5 mg/indapamide 1.25 mg", "amoxicillin 875 mg + clavulanic acid 125 mg": one product, two amounts. */
export function jointStrength(text: string, first: Strength, second: Range, to: number): Strength | null {
  const other = strengthIn(text, second.end, Math.min(to, second.end + 12))
  if (!other || /[^\s(]/.test(text.slice(second.end, other.start))) return null
  const joined = sameUnit(first.unit, other.unit) ? first.unit : `${first.unit}/${other.unit}`
  return { start: first.start, end: other.end, value: `${first.value}/${other.value}`, unit: joined }
}

/** "Seretide 250/25", "Trelegy 92/55/22": of a combination the figures alone are its strength; from behind its names. */
export function combinedStrength(text: string, medicine: NamedMedicine, to: number): Strength | null {
  if (!isCombination(medicine)) return null
  const from = medicine.restFrom ?? medicine.end
  const match =
    /^[\s(]{1,2}(\d{1,4}(?:\.\d{1,2})?(?:[/-]\d{1,4}(?:\.\d{1,2})?){1,2})(?![\d/.]|\s?(?:days?|weeks?|\/))/.exec(
      text.slice(from, Math.min(to, from + 20)),
    )
  if (match?.[1] === undefined) return null
  const start = from + match[0].length - match[1].length
  return { start, end: start + match[1].length, value: match[1].replaceAll('-', '/'), unit: '' }
}

/** "Micardis 80 one every morning": a figure that its table knows as a strength; its unit is not printed. */
export function bareStrength(text: string, medicine: NamedMedicine, to: number): Strength | null {
  const from = medicine.restFrom ?? medicine.end
  const match = /^[ ]?(\d{1,4}(?:\.\d)?)(?![\d.,/:%-]|\s?[x×]|\s?\p{L}*\/)(?=\s|$|[,;)])/u.exec(
    text.slice(from, Math.min(to, from + 8)),
  )
  const value = match?.[1]
  if (match === null || value === undefined || !medicine.term.meaning.strengths.includes(value)) return null
  const end = from + match[0].length
  // "Coumadin 5 daily" may be five tablets; nobody takes ten.
  const isCount = /^\s*(?:tab|cap|puff|drop|spray|unit|x\b)/i.test(text.slice(end, to))
  const isOpen = Number(value) < 10 && /^\s*(?:\p{L}|$)/u.test(text.slice(end, to))
  return isCount || isOpen ? null : { start: end - value.length, end, value, unit: '' }
}
