/**
 * Names that stand alone in running text ("Maria was seen"), and words that look like a name and are none where they stand:
 * "Crohn disease" in the letter of a Mr Crohn, "May cause drowsiness", "May 2021".
 */
import { clinicalTermsIn } from '../terminology/clinical-terms.ts'
import { allergenLexicon, type Concept } from '../terminology/concepts.ts'
import { coverOf, type Cover } from '../document/places.ts'
import { exactly, findTerms } from '../terminology/lexicon.ts'
import { findNotNames } from '../terminology/not-names.ts'
import { once, readTable } from '../terminology/read-table.ts'
import { tokenise } from '../terminology/tokens.ts'

type Range = { readonly start: number; readonly end: number }

const word = /[\p{L}\p{M}][\p{L}\p{M}'’-]*/gu

/** What only a person does. */
const alone = String.raw`presented|denie[sd]|attend(?:s|ed)|lives|works|smokes|drinks|drives|walks|complain(?:s|ed)|states|says|tells|feels|understands|agreed|consented|declined|wishes|enjoys|returned|underwent|(?:was|is|has been) (?:seen|reviewed|admitted|discharged|referred|born|brought|well)`
const onlyPeople = new RegExp(`^(?:,? (?:who )?|,? aged? \\d+,? )(?:${alone})\\b`, 'u')
/** What a thing may do as well, so that it needs a name before it. */
const ofPeople = new RegExp(
  `^(?:['’]s\\b|,? (?:who )?(?:${alone}|was|is|has|had|reports?|reported|stated|came|takes|took|tolerated|continues|remains|requires|developed)\\b)`,
  'u',
)

/** Capitalised words before such a verb that name nobody. */
const nobody = new Set(
  `he she they it this that who patient pt client child baby mother father wife husband son daughter brother sister parent
   parents family mum dad mom both also and but currently boy girl man woman gentleman lady infant newborn partner carer
   everyone nobody someone there otherwise then today`.split(/\s+/),
)
/** Names that are words of English too: no name by themselves. */
const plainWords = new Set(
  `will may mark grant rose grace hope faith joy dawn iris ivy lily violet olive amber crystal ruby summer april june august
   rich frank drew rob chase penny sandy daisy poppy melody miles max guy angel christian major dean reed norm sage pepper clay
   cliff glen lance dale ray wade eve mercy patience prudence pat sue bill gene art basil ginger heather brown black white green
   gray grey long young short head hand foot heart day weeks stone bone blood bell down low high cold sharp wells burns cross
   pain little small best new old good strong swift still case church field hall hill lake wood woods moon page park street`.split(
    /\s+/,
  ),
)

/** Who somebody lives or speaks with. */
const besidePeople =
  /\b(?:(?:lives?|living|attended|came|discussed|spoke) with|spoke to|married to|accompanied by|cared for by|looked after by)[ \n]+/giu
const nameHere = /\p{Lu}[\p{L}\p{M}'’-]+(?: \p{Lu}[\p{L}\p{M}'’-]+){0,2}/uy

function companions(text: string, isOther: Cover): Range[] {
  return Array.from(text.matchAll(besidePeople)).flatMap(({ 0: lead, index: at }) => {
    nameHere.lastIndex = at + lead.length
    const [name] = nameHere.exec(text) ?? []
    const [first = ''] = name?.split(' ') ?? []
    const start = at + lead.length
    const isNone = name === undefined || !isNoWord(first) || isOther.touches({ start, end: start + first.length })
    return isNone ? [] : [{ start, end: start + name.length }]
  })
}

/** Names of the table, and whoever does what only people do. */
export function loneNames(text: string, isOther: Cover): Range[] {
  return [...companions(text, isOther), ...namesAlone(text, isOther)]
}

function namesAlone(text: string, isOther: Cover): Range[] {
  return wordsIn(text).flatMap(({ bare, start, end }) => {
    const rest = text.slice(end, end + 40)
    const isListed = givenNames().has(bare.toLowerCase())
    const isKnown = isListed && (!isOther.touches({ start, end }) || ofPeople.test(rest))
    const isSubject = onlyPeople.test(rest) && !isOther.touches({ start, end }) && isNoWord(bare)
    return isKnown || isSubject ? [{ start, end }] : []
  })
}

/** Every place where one of these words is written as a name is: with a capital, and not as something else. */
export function namesAgain(text: string, names: readonly string[], isOther: Cover): Range[] {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const found = wordsIn(text).filter(({ bare }) => wanted.has(bare.toLowerCase()))
  return found.filter(({ bare, start, end }, at) => {
    const rest = text.slice(end, end + 40)
    // "Parkinson’s disease" is nobody's.
    if (ofPeople.test(rest) && !(/^['’]s\b/.test(rest) && isOther.touches({ start, end }))) return true
    const isBesideName = found[at - 1]?.end === start - 1 || found[at + 1]?.start === end + 1
    return isBesideName || (!isOther.touches({ start, end }) && !plainWords.has(bare.toLowerCase()))
  })
}

function wordsIn(text: string) {
  return Array.from(text.matchAll(word))
    .filter(([found]) => /^\p{Lu}/u.test(found))
    .map(({ 0: found, index }) => {
      const bare = found.replace(/['’]s?$/, '')
      return { bare, start: index, end: index + bare.length }
    })
}

function isNoWord(bare: string): boolean {
  const isAcronym = bare.length < 5 && bare === bare.toUpperCase()
  if (isAcronym || bare.length < 3 || nobody.has(bare.toLowerCase()) || plainWords.has(bare.toLowerCase())) return false
  const kinds = ['organisation', 'document', 'anatomy', 'place', 'statement', 'abbreviation', 'someone_else'] as const
  return findNotNames(tokenise(bare), kinds).length === 0
}

/** Words of medicine: a name in them is somebody's who is long dead, or a brand. */
export function clinicalTerms(text: string): Range[] {
  const tokens = tokenise(text)
  const terms = [...clinicalTermsIn(tokens), ...findTerms(exactly<Concept>(allergenLexicon()), tokens)]
  return terms.map(({ start, end }) => ({ start, end }))
}

export const coverOfTerms = (text: string, beside: readonly Range[]): Cover =>
  coverOf([...clinicalTerms(text), ...beside])

const givenNames = once(() => new Set(readTable('given_names', ['name']).map(({ name }) => name)))
