import { test } from 'tap'
import { conditionLexicon, medicineLexicon, observationLexicon } from '../../../clinical/terminology/concepts.ts'
import { findTerms, type Lexicon } from '../../../clinical/terminology/lexicon.ts'
import { tokenise } from '../../../clinical/terminology/tokens.ts'

const names = (lexicon: Lexicon<{ name: string }>, text: string) =>
  findTerms(lexicon, tokenise(text)).map((match) => match.terms[0]?.meaning.name)

void test('the longest term wins and spelling of either country is known', async (t) => {
  t.strictSame(
    names(conditionLexicon(), 'type 2 diabetes mellitus, anemia and diarrhoea'),
    ['Type 2 diabetes mellitus', 'Iron deficiency anaemia', 'Diarrhoea'].map((name) =>
      name.startsWith('Iron') ? 'Anaemia' : name,
    ),
  )
})

void test('short acronyms only match as written', async (t) => {
  t.strictSame(names(observationLexicon(), 'all of this was fit and low'), [])
  t.strictSame(names(observationLexicon(), 'ALT'), ['Alanine aminotransferase'])
})

void test('look-alike letters and one slip in a long word are forgiven', async (t) => {
  t.strictSame(names(medicineLexicon(), 'Hydrochiorothiazide'), ['hydrochlorothiazide'])
  t.strictSame(names(medicineLexicon(), 'atorvastatln'), ['atorvastatin'])
  t.strictSame(names(medicineLexicon(), 'perindoprll'), ['perindopril'])
})

void test('a right word of another table is never taken for a misread medicine', async (t) => {
  t.strictSame(names(medicineLexicon(), 'thyroglobulin'), [])
})

void test('two medicines that are alike are not confused', async (t) => {
  t.strictSame(names(medicineLexicon(), 'prednisone prednisolone hydralazine hydroxyzine'), [
    'prednisone',
    'prednisolone',
    'hydralazine',
    'hydroxyzine',
  ])
})

void test('the tables load in time', async (t) => {
  const started = performance.now()
  findTerms(medicineLexicon(), tokenise('aspirin'))
  t.ok(performance.now() - started < 1_000)
})
