/** Where a medicine's name ends: the dictionary's words with salt, release form and fixed combination as printed. */
import { medicineLexicon, type Medicine } from '../../terminology/concepts.ts'
import { matchAt, type Term } from '../../terminology/lexicon.ts'
import type { Token } from '../../terminology/tokens.ts'
import type { Range } from '../found.ts'

export type NamedMedicine = Range & {
  readonly term: Term<Medicine>
  /** Tokens [from, to) */
  readonly from: number
  readonly to: number
  /** Behind its other names: "Telmisartan + hydrochlorothiazide [Micardis Plus] 80/12.5". */
  readonly restFrom?: number
  /** "Amoxicillin 875 mg + clavulanic acid 125 mg": the further ingredient. */
  readonly isJoint?: boolean
  readonly further?: Range
}

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
