import { test } from 'tap'
import { findWords } from '../../../clinical/document/find-words.ts'
import type { Word } from '../../../clinical/document/page.ts'

/** Lines of words, as a page has them. */
const pageOf = (...lines: string[]): Word[] =>
  lines.flatMap((text, line) =>
    text.split(' ').map((word) => ({ text: word, confidence01: 1, box: [0, 0, 1, 1] as const, line, block: 0 })),
  )

const found = (words: readonly Word[], wanted: string): string[] =>
  findWords(words, wanted).map((place) => place.map((index) => words[index]?.text ?? '').join(' '))

test('a word is found whatever its case, accents and marks', (t) => {
  const page = pageOf('José GARCÍA, (Hämoglobin) Øster Straße ﬁbrinogen 12 µmol/L')
  for (const [wanted, words] of [
    ['jose', ['José']],
    ['garcia', ['GARCÍA,']],
    ['HAMOGLOBIN', ['(Hämoglobin)']],
    ['hämoglobin', ['(Hämoglobin)']],
    ['oster strasse', ['Øster Straße']],
    ['fibrinogen', ['ﬁbrinogen']],
    ['umol/l', ['µmol/L']],
    ['globin', ['(Hämoglobin)']],
    ['maria', []],
  ] as const)
    t.same(found(page, wanted), words, wanted)
  t.end()
})

test('a phrase runs over several words and the end of a line, and each place is told once', (t) => {
  const page = pageOf('full blood count and', 'full blood', 'count')
  t.same(found(page, ' Full  blood count'), ['full blood count', 'full blood count'])
  t.same(findWords(page, 'blood count'), [
    [1, 2],
    [5, 6],
  ])
  t.same(found(page, 'blood and'), [])
  t.end()
})

test('a word that the end of a line parts is found whole, and one with a hyphen without it', (t) => {
  const page = pageOf('the haemo-', 'globin of a non-smoker on beta-', 'Blockers')
  t.same(found(page, 'haemoglobin'), ['haemo- globin'])
  t.same(found(page, 'nonsmoker'), ['non-smoker'])
  t.same(found(page, 'non-smoker'), ['non-smoker'])
  t.same(found(page, 'beta blockers'), ['beta- Blockers'])
  t.end()
})

test('a number is found however its thousands are set apart, and never within another', (t) => {
  const page = pageOf("1,250 1 250 1.250 1'250 1250 12500 5.1 5,1 15.1 5.12 51 2024-01-05 B12 and 500mg")
  const all = ['1,250', '1 250', '1.250', "1'250", '1250']
  for (const wanted of ['1250', '1,250', '1 250']) t.same(found(page, wanted), all, wanted)
  t.same(found(page, '12 500'), ['12500'])
  t.same(found(page, '5.1'), ['5.1', '5,1'])
  t.same(found(page, '51'), ['51'])
  t.same(found(page, '2024-01-05'), ['2024-01-05'])
  t.same(found(page, 'b 12'), ['B12'])
  t.same(found(page, '500 mg'), ['500mg'])
  t.end()
})

test('whatever is asked for is taken as it stands', (t) => {
  const page = pageOf('a+b (c) [d] x.y $1 a\\b')
  for (const wanted of ['', ' ', '.*', '(', '[', '\\', '$', '^', '(?=', '\u0000', '\ud800', '﷽', '-', '.', '5.'])
    t.same(found(page, wanted), [], JSON.stringify(wanted))
  t.same(found(page, '(c)'), ['(c)'])
  t.same(found(page, 'a+b'), ['a+b', 'a\\b'], 'signs part words')
  t.same(found([], 'a'), [])
  const digits = pageOf('1'.repeat(5_000), '1 '.repeat(5_000).trim())
  t.same(found(digits, '1'.repeat(199)), [])
  t.end()
})
