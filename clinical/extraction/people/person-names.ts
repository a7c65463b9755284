/** What names of people look like in print, and what only looks like one: letterheads, titles of forms, headings. */
import { clinicalTermsIn } from '../../terminology/clinical-terms.ts'
import { findNotNames } from '../../terminology/not-names.ts'
import { tokenise } from '../../terminology/tokens.ts'

export const personTitle = '(?:Mr|Mrs|Ms|Miss|Mx|Master|Mstr|Dr|Prof|Rev|Sr|Br|Fr)\\.?\\s+'
const letters = "[\\p{L}\\p{M}'’-]"
const word = `(?:(?:al|el|as|ul|d|l|o)['’-])?\\p{Lu}${letters}*`
const particle =
  '(?:de|da|do|dos|das|di|del|della|der|den|du|van|von|vom|zu|ter|ten|la|le|les|el|al|bin|binti?|ibn|ben|af|av|e|y|Mc|Mac)'
const lead = `(?:${particle} ){0,3}`
const piece = `(?:(?:\\p{Lu}\\.){1,3}|${word})`
/** "GARCIA MARQUEZ, Jose"; of names in small letters only one word may stand before the comma: "Noreen Webb, Sydney". */
const familyFirst = `(?:${lead}${word}|\\p{Lu}[\\p{Lu}\\p{M}'’-]+(?: \\p{Lu}[\\p{Lu}\\p{M}'’-]+){1,2})\\s?,\\s?${piece}(?: ${lead}${piece}){0,3}`
const givenFirst = `${lead}${piece}(?: ${lead}${piece}){1,4}`
export const personName = `(?:${personTitle})?(?:${familyFirst}|${givenFirst})`
export const singleName = `(?:${personTitle})?${word.replace(/\*$/, '+')}`

const wholeName = new RegExp(`^${personName}$`, 'u')
const titled = new RegExp(`^${personTitle}`)
/** "WEBB Noreen", "Noreen WEBB": one word in capitals tells the family name from the given one. */
const familyInCapitals = /^(?:[\p{Lu}'’-]{2,} )+\p{Lu}\p{Ll}|\p{Ll} \p{Lu}[\p{Lu}'’-]+$/u
/** "Sydney, NSW", "Springfield, IL" */
const placeWithState =
  /,\s?(?:NSW|VIC|QLD|TAS|SA|WA|ACT|NT|A[KLRZ]|C[AOT]|DC|FL|GA|HI|I[ADLN]|K[SY]|M[DEINOST]|N[CDEHJMVY]|O[HKR]|RI|S[CD]|T[NX]|UT|V[AT]|W[IVY]|New South Wales|Queensland|Western Australia|South Australia|Tasmania)$/
const streetEnd = /\s(?:St|Rd|Ave|Ln|Ct|Pl|Cres|Pde|Hwy|Blvd|ST|RD|AVE|PDE|HWY)\.?$/
/** No name begins with an article or holds one of these between capitals. */
const smallWords =
  /^(?:The|THE|Your|YOUR|Our|OUR|My|MY)\s|\s(?:Of|OF|For|FOR|And|AND|With|WITH|By|BY|From|FROM|The|THE|Your|YOUR)\s/
const credentials =
  /[\s,](?:MD|MBBS|RN|NP|PhD|FRACGP|FRACP|FRACS|FRCPA|FRANZCR|FACP|FACS|PA-C|APRN|FNP|CNM|LPN|CRNA|PharmD|DDS|DPM|BSc|MSc|MPH|RM|AHPRA)$/
const holyPlace = /^(?:St\.?|ST\.?|Saint|SAINT|Mount|MOUNT|Mt\.?|MT\.?|Our Lady|OUR LADY)\s(?!.*,)/

/**
 * How surely words without a label are a name. `marked`: its form says so (a title, a comma, the family name in
 * capitals). `plain`: two or more capitalised words, which a letterhead is as well. null: not a person.
 */
export function nameEvidence(words: string): 'marked' | 'plain' | null {
  if (!wholeName.test(words) || isTitle(words) || placeWithState.test(words)) return null
  return titled.test(words) || words.includes(',') || familyInCapitals.test(words) ? 'marked' : 'plain'
}

/** Words of an organisation, a form or a heading, or a thing that medicine has a word for. */
function isTitle(words: string): boolean {
  const named = words.replace(titled, '')
  const tokens = tokenise(named)
  const kinds = ['organisation', 'document', 'anatomy', 'place', 'statement', 'abbreviation'] as const
  const isWorded = [holyPlace, streetEnd, smallWords, credentials].some((pattern) => pattern.test(named))
  return isWorded || findNotNames(tokens, kinds).length > 0 || isClinicalTerm(named)
}

/** A label ("Patient:") vouches for nearly any words; not for a remark ("Denies chest pain") or the name of a test. */
export function isRemark(words: string): boolean {
  const tokens = tokenise(words).filter((token) => /\p{L}/u.test(token.text))
  const opening = findNotNames(tokens, ['statement'])[0]
  if (opening?.from === 0) return true
  const other = findNotNames(tokens, ['organisation', 'document', 'anatomy', 'abbreviation'])
  const covered = other.reduce((sum, match) => sum + match.to - match.from, 0)
  return covered >= tokens.length || isClinicalTerm(words)
}

function isClinicalTerm(words: string): boolean {
  const tokens = tokenise(words)
  return clinicalTermsIn(tokens).some(
    (match) => match.from === 0 && match.to === tokens.length && match.terms.some((term) => !term.isAmbiguous),
  )
}

const fillers = /^(?:name|details?|information|contact|of|the|to|s|and|or|by|no|1|2|one|two|first|second|\W)$/i

/** A heading or label that asks for somebody beside the patient: "Next of kin", "Referring doctor's details". */
export function asksForSomeoneElse(label: string): boolean {
  if (label.length > 60) return false
  const tokens = tokenise(label)
  const matches = findNotNames(tokens, ['someone_else'])
  const isRead = (place: number) => matches.some((match) => match.from <= place && place < match.to)
  return matches.length > 0 && tokens.every((token, place) => isRead(place) || fillers.test(token.text))
}
