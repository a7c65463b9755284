import { test } from 'tap'
import { findFacts } from '../../../../clinical/extraction/find-facts.ts'
import { mapBytes, rowsOf } from '../../../support/read-bytes.ts'

const mapped = (rtf: string) => mapBytes(Buffer.from(rtf, 'latin1'), 'application/rtf')

test('rich text keeps its letters, bold and tables, and loses its objects', async (t) => {
  const document = await mapped(String.raw`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\author Nobody}}
{\b Medications\par}
caf\'e9 \u8805? 3 {\object{\*\objdata 0105}}\par
\trowd\intbl Metformin\cell 500 mg\cell\row
\trowd\intbl Ramipril\cell 5 mg\cell\row
\pard end\par}`)
  t.match(document.text, /^Medications\ncafé ≥ 3\n/)
  t.equal(document.lines[0]?.isBold, true)
  t.same(rowsOf(document), [
    ['Metformin', '500 mg'],
    ['Ramipril', '5 mg'],
  ])
  t.notMatch(document.text, /Nobody|0105|Arial/)
})

test('letterheads come first, notes and footers last, and what is hidden not at all', async (t) => {
  const { text } = await mapped(String.raw`{\rtf1\ansi{\footer Page 1\par}{\header Harbour Clinic\par}
Metformin 500\~mg{\footnote Started in May.\par}\par
{\v unseen}Seen\par}`)
  t.equal(text, 'Harbour Clinic\nMetformin 500 mg [1]\nSeen\n[1] Started in May.\nPage 1')
})

test('each font is read in its own letters', async (t) => {
  const { text } =
    await mapped(String.raw`{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset128 MS Mincho;}{\f2\fcharset2 Symbol;}{\f3\fcharset204 Arial;}}
{\f1\'93\'fa\'96\'7b} {\f2\'b3} 5 {\f3\'e4\'e0} caf\'e9 \u-10179?\u-8704?\par}`)
  t.equal(text, '日本 ≥ 5 да café 😀')
})

test('lines set with tabs are rows, and bytes of a picture are no text', async (t) => {
  const document = await mapped(String.raw`{\rtf1\ansi {\pict\bin4 }}}}} after\par
Sodium\tab 140\tab mmol/L\par
Urea\tab 4.1\tab mmol/L\par}`)
  t.match(document.text, /^\[picture\] after\n/)
  t.same(rowsOf(document), [
    ['Sodium', '140', 'mmol/L'],
    ['Urea', '4.1', 'mmol/L'],
  ])
})

test('a medicine that is struck out is not one that is taken', async (t) => {
  const document = await mapped(
    String.raw`{\rtf1\ansi {\b Current medications\par}{\strike Warfarin 5\~mg daily\par}Metformin {\striked1 500 mg}\striked0  1000 mg daily\par}`,
  )
  t.match(document.text, /Warfarin 5 mg daily \(struck out\)\nMetformin 500 mg \(struck out\) 1000 mg daily/)
  t.same(
    findFacts(document).facts.map(({ text, value, detail }) => [text, value, detail.clinicalStatus]),
    [
      ['Warfarin', '5', 'stopped'],
      ['Metformin', '1000', 'active'],
    ],
  )
})
