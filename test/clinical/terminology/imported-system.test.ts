import { test } from 'tap'
import { readImportedConcepts } from '../../../clinical/terminology/imported-system.ts'

const head = 'code\tdisplay\tdomain\tsynonyms'

test('a file of concepts is read with its wordings, each once', (t) => {
  const text = `${head}\n1\tFracture of the hand\tcondition\thand fracture|broken hand\n2\tSitagliptin\tmedication\n`
  t.same(readImportedConcepts(text), [
    {
      code: '1',
      display: 'Fracture of the hand',
      synonyms: [
        { domain: 'condition', term: 'hand fracture', words: 'fracture hand', isEquivalent: true },
        { domain: 'condition', term: 'broken hand', words: 'broken hand', isEquivalent: true },
      ],
    },
    {
      code: '2',
      display: 'Sitagliptin',
      synonyms: [{ domain: 'medication', term: 'Sitagliptin', words: 'sitagliptin', isEquivalent: true }],
    },
  ])
  t.same(readImportedConcepts(`\uFEFF${text.replaceAll('\n', '\r\n')}`).length, 2, 'as Windows writes it')
  t.end()
})

test('what is no such file is refused by its line', (t) => {
  t.throws(() => readImportedConcepts('id\tname\n1\tx'), /first line/)
  t.throws(() => readImportedConcepts(`${head}\n1\tAsthma\tcondition\t\n2\tCough\tsymptom\t`), /Line 3/)
  t.throws(() => readImportedConcepts(`${head}\n\tAsthma\tcondition\t`), /Line 2/)
  t.end()
})
