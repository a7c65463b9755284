/** Words for relatives, and what a relative of a relative is to the patient. */
import { buildLexicon } from './lexicon.ts'
import { once, readTable } from './read-table.ts'

export const relativeLexicon = once(() =>
  buildLexicon(
    readTable('relatives', ['word', 'relation']).map(({ word, relation }) => ({
      text: word,
      meaning: relation,
      isAmbiguous: false,
    })),
  ),
)

const sides: Readonly<Record<string, string>> = {
  mother: 'maternal',
  father: 'paternal',
  'maternal side': 'maternal',
  'paternal side': 'paternal',
}

/** As seen from a parent. */
const ofParent: Readonly<Record<string, string>> = {
  brother: 'uncle',
  brothers: 'uncles',
  sister: 'aunt',
  sisters: 'aunts',
  mother: 'grandmother',
  father: 'grandfather',
  parent: 'grandparent',
  'both parents': 'grandparents',
  aunt: 'great aunt',
  uncle: 'great uncle',
}

const hasSide = /^(?:grand|great|aunt|uncle|cousin)/

/** "Mother's brother" is the maternal uncle, "aunt on her father's side" the paternal aunt; else both words stay. */
export function relativeOf(owner: string, relation: string): string {
  const side = sides[owner]
  const seen = owner === 'mother' || owner === 'father' ? (ofParent[relation] ?? relation) : relation
  return side !== undefined && hasSide.test(seen) ? `${side} ${seen}` : `${owner}’s ${relation}`
}
