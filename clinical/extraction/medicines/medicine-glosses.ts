/** One medicine under several names: "Cefalexin 500 mg (Keflex)", "Coversyl Plus (perindopril 5 mg/indapamide 1.25 mg)". */
import { medicineLexicon } from '../../terminology/concepts.ts'
import { matchAt } from '../../terminology/lexicon.ts'
import { findMedicineCues } from '../../terminology/medicine-cues.ts'
import { tokenise } from '../../terminology/tokens.ts'
import type { NamedMedicine } from './medicine-name.ts'

const longestAside = 45
const amounts = /\d[\d.,/]*\s?(?:mg|mcg|microg\w*|g|mL|units?|%)?/gi
const forms = /\b(?:tab|cap|inhal|inj|cream|patch|spray|susp|oral|brand|generic|new|old|name)\w*/gi

export function joinNames(text: string, medicines: readonly NamedMedicine[]): NamedMedicine[] {
  return medicines.reduce<NamedMedicine[]>((joined, medicine) => {
    const above = joined.at(-1)
    const one = above ? asOne(text, above, medicine) : null
    return one ? [...joined.slice(0, -1), one] : [...joined, medicine]
  }, [])
}

function asOne(text: string, above: NamedMedicine, medicine: NamedMedicine): NamedMedicine | null {
  const between = text.slice(above.end, medicine.start)
  if (between.length > 2 * longestAside) return null
  const close = closeOfBracket(text, between, medicine)
  if (close !== null) return { ...above, restFrom: close, further: medicine }
  if (isOtherName(between, above, medicine)) return { ...above, restFrom: medicine.end, further: medicine }
  const whole = productOf(text, between, above, medicine)
  if (!whole) return null
  return { ...above, ...whole, end: medicine.end, to: medicine.to, isJoint: true, further: medicine }
}

/** Where the bracket closes that holds nothing but names and amounts of the medicine before it. */
function closeOfBracket(text: string, between: string, medicine: NamedMedicine): number | null {
  const open = Math.max(between.lastIndexOf('('), between.lastIndexOf('['))
  const inside = between.slice(open + 1)
  if (open < 0 || open > longestAside || /[)\]\n]/.test(inside) || /[.;\n]\s/.test(between.slice(0, open))) return null
  const names = inside.replace(amounts, '').split(/[/+&,]|\band\b/)
  if (names.some((name) => name.trim() !== '' && !isMedicine(name))) return null
  const rest = /^[^()[\]\n]{0,60}(?=[)\]])/.exec(text.slice(medicine.end, medicine.end + 61))?.[0]
  if (rest === undefined || findMedicineCues(rest, 'after').length > 0) return null
  const words = rest.replace(amounts, '').replace(forms, '')
  const others = words.split(/[/+&,]|\band\b/).filter((name) => name.trim() !== '' && !isMedicine(name))
  return others.join('').replace(/\s/g, '').length <= 12 ? medicine.end + rest.length + 1 : null
}

function isMedicine(name: string): boolean {
  const tokens = tokenise(name)
  return matchAt(medicineLexicon(), tokens, 0) !== null
}

/** "Esomeprazole 40 mg = Nexium", "Lipitor - atorvastatin 40 mg": the same ingredient twice. */
function isOtherName(between: string, above: NamedMedicine, medicine: NamedMedicine): boolean {
  if (above.term.meaning.concept !== medicine.term.meaning.concept) return false
  const link = between.replace(amounts, '').replace(forms, '').trim()
  const isSame = above.term.text.toLowerCase() === medicine.term.text.toLowerCase()
  return (
    /^(?:=|aka|a\.k\.a\.?|i\.?e\.?|or)$/i.test(link) || (/^[-–:/,]?$/.test(link) && !isSame && !between.includes('\n'))
  )
}

/** "Amoxicillin 875 mg + clavulanic acid 125 mg": two ingredients that the tables know as one product. */
function productOf(
  text: string,
  between: string,
  above: NamedMedicine,
  medicine: NamedMedicine,
): Pick<NamedMedicine, 'term'> | null {
  if (!/^\s*\d[\d.]*\s?(?:mg|mcg|microg\w*|g|%)\s*(?:[+/&]|with|and)\s*$/i.test(between)) return null
  if (!/^\s*\d[\d.]*\s?(?:mg|mcg|microg\w*|g|%)/i.test(text.slice(medicine.end, medicine.end + 12))) return null
  const tokens = tokenise(`${above.term.meaning.name}/${medicine.term.meaning.name}`)
  const match = matchAt(medicineLexicon(), tokens, 0)
  const term = match?.to === tokens.length ? match.terms[0] : undefined
  return term ? { term } : null
}
