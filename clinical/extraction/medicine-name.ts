/** Where a medicine's name ends: the dictionary's words with salt, release form and fixed combination as printed. */
import { medicineLexicon, type Medicine } from '../terminology/concepts.ts'
import { matchAt, type Term } from '../terminology/lexicon.ts'
import type { Token } from '../terminology/tokens.ts'
import type { Range } from './found.ts'

export type NamedMedicine = Range & {
  readonly term: Term<Medicine>
  /** Tokens [from, to) */
  readonly from: number
  readonly to: number
}

export type Strength = Range & { readonly value: string; readonly unit: string }

const salts = new Set(
  'hydrochloride hcl succinate tartrate sodium potassium propionate furoate maleate besylate besilate mesylate mesilate sulfate sulphate phosphate acetate citrate fumarate valerate dipropionate calcium magnesium trihydrate monohydrate bromide chloride nitrate arginine erbumine medoxomil axetil disoproxil etexilate hydrobromide carbonate gluconate malate bitartrate decanoate pamoate mononitrate dinitrate trometamol tromethamine xinafoate polymaltose'.split(
    ' ',
  ),
)
const releases =
  /^(?:XR|SR|MR|ER|CR|LA|XL|CD|EC|EN|HCT|DS|DR|IR|ODT|HFA|Forte|Plus|Osteo|Retard|Turbuhaler|Accuhaler|SoloStar|FlexPen|KwikPen|Rapihaler|Respimat|HandiHaler|Ellipta|Diskus)$/i

export function findMedicines(tokens: readonly Token[]): NamedMedicine[] {
  const found: NamedMedicine[] = []
  for (let place = 0; place < tokens.length;) {
    const match = matchAt(medicineLexicon(), tokens, place)
    const term = match?.terms.find((candidate) => !candidate.isAmbiguous) ?? match?.terms[0]
    if (!match || !term) {
      place += 1
      continue
    }
    const to = extend(tokens, match.to)
    found.push({ start: match.start, end: tokens[to - 1]?.end ?? match.end, from: match.from, to, term })
    place = to
  }
  return found
}

const strengthPattern =
  /(?<![\d.,/])(\d{1,3}(?:,\d{3})+|\d{1,7}(?:\.\d{1,4})?)\s?(?:(mg|mcg|g|units?|%)\s?)?(?:([/+-])\s?(\d{1,6}(?:\.\d{1,4})?)\s?)?(mg|mcgs?|µg|μg|ug|micrograms?|microg|milligrams?|grams?|gm?|units?|IU|U|mL|%|mmol|mEq|ng|nanograms?|million units|kg)(?![\p{L}])(?!\s?\/\s?(?:dL|L\b))(?:\s?\/\s?(\d{0,3}(?:\.\d)?\s?(?:mL|dose|hours?|hrs?|h|puff|actuation|24 ?h|g|kg|day|tablet|spray|drop))(?!\p{L}))?/iu

/** The first amount between the offsets; "500/125 mg", "100 units/mL" and "70/30 20 units" are read as printed. */
export function strengthIn(text: string, from: number, to: number): Strength | null {
  const match = strengthPattern.exec(text.slice(from, to))
  if (!match) return null
  // "4-8 units" is a range; "500/125 mg", "10+5 mg" and "100-25 mg" are two strengths.
  const parts = match[3] === '-' && Number(match[1]) < Number(match[4]) ? '-' : '/'
  const value = match[4] === undefined ? (match[1] ?? '') : `${match[1]}${parts}${match[4]}`
  const per = match[6] ? `/${match[6].replace(/\s+/g, ' ')}` : ''
  const start = from + match.index
  return { start, end: start + match[0].trimEnd().length, value, unit: `${match[5] ?? ''}${per}` }
}

const isCombination = (medicine: NamedMedicine) => /[+/]| and /.test(medicine.term.meaning.name)

/** "Norco 5-325 mg": of a combination the figures are two strengths, never a range. */
export function asCombination(strength: Strength, medicine: NamedMedicine): Strength {
  return isCombination(medicine) ? { ...strength, value: strength.value.replace('-', '/') } : strength
}

/** "Seretide 250/25", "Targin 10/5": of a combination the figures alone are its strength. */
export function combinedStrength(text: string, medicine: NamedMedicine, to: number): Strength | null {
  if (!isCombination(medicine)) return null
  const match = /^[\s(]{1,2}(\d{1,4}(?:\.\d{1,2})?\/\d{1,4}(?:\.\d{1,2})?)(?![\d/.]|\s?(?:days?|weeks?|\/))/.exec(
    text.slice(medicine.end, Math.min(to, medicine.end + 16)),
  )
  if (match?.[1] === undefined) return null
  const start = medicine.end + match[0].length - match[1].length
  return { start, end: start + match[1].length, value: match[1], unit: '' }
}

function extend(tokens: readonly Token[], from: number): number {
  let to = from
  for (;;) {
    const [next, after] = [tokens[to], tokens[to + 1]]
    const previous = tokens[to - 1]
    if (!next || !previous) return to
    const touches = next.start === previous.end
    if (salts.has(next.key) || salts.has(next.text.toLowerCase()) || releases.test(next.text)) to += 1
    else if (/^[/+-]$/.test(next.text) && after && (touches || next.text === '+') && isNamePart(after, tokens[to + 2]))
      to += 2
    else if (
      /^\d{2}$/.test(next.text) &&
      after?.text === '/' &&
      /^\d{2}$/.test(tokens[to + 2]?.text ?? '') &&
      isFigure(tokens[to + 3])
    )
      to += 3
    else return to
  }
}

function isNamePart(token: Token, next: Token | undefined): boolean {
  return /^\p{L}{3,}$/u.test(token.text) && !/^(mg|mcg|tab|cap|day)/i.test(token.text) && next?.text !== ':'
}

function isFigure(token: Token | undefined): boolean {
  return token !== undefined && /^\d/.test(token.text)
}
