import { deflateRawSync } from 'node:zlib'
import { test } from 'tap'
import { findFacts } from '../../../../clinical/extraction/find-facts.ts'
import { forRules } from '../../../../worker/pipeline/stated-facts.ts'
import type { OcrProvider } from '../../../../worker/providers/ocr/provider.ts'
import { pictureOfText } from '../../../support/picture-of-text.ts'
import { mapBytes, noOcr, readBytes, rowsOf } from '../../../support/read-bytes.ts'
import { zipOf } from '../../../support/zip.ts'

const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const run = (text: string, properties = '') =>
  `<w:r><w:rPr>${properties}</w:rPr><w:t xml:space="preserve">${text}</w:t></w:r>`
const paragraph = (inner: string, properties = '') => `<w:p><w:pPr>${properties}</w:pPr>${inner}</w:p>`
const cell = (text: string, properties = '') => `<w:tc><w:tcPr>${properties}</w:tcPr>${paragraph(run(text))}</w:tc>`
const row = (...cells: string[]) => `<w:tr>${cells.join('')}</w:tr>`
const wordFile = (body: readonly string[], parts: Readonly<Record<string, string>> = {}) =>
  zipOf({ 'word/document.xml': `<w:document><w:body>${body.join('')}</w:body></w:document>`, ...parts })
const mapped = (body: readonly string[], parts: Readonly<Record<string, string>> = {}) =>
  mapBytes(wordFile(body, parts), wordType)

test('letterhead, bold, split runs and tables come as they are printed', async (t) => {
  const document = await mapped(
    [
      paragraph(run('Allergies', '<w:b/>')),
      paragraph(`${run('peni')}${run('cillin &amp; nuts')}`),
      `<w:tbl>${row(cell('Sodium'), cell('140'), cell('mmol/L'))}${row(cell('Urea'), cell('4.1'), cell('mmol/L'))}</w:tbl>`,
    ],
    { 'word/header1.xml': `<w:hdr>${paragraph(run('Harbour Clinic'))}</w:hdr>` },
  )
  t.match(document.text, /^Harbour Clinic\n+Allergies\npenicillin & nuts\n/)
  t.same(rowsOf(document), [
    ['Sodium', '140', 'mmol/L'],
    ['Urea', '4.1', 'mmol/L'],
  ])
})

test('headings by style, counted lists, notes and footers keep their places', async (t) => {
  const item = (text: string, level: number) =>
    paragraph(run(text), `<w:numPr><w:ilvl w:val="${level}"/><w:numId w:val="3"/></w:numPr>`)
  const level = (number: number, format: string, text: string) =>
    `<w:lvl w:ilvl="${number}"><w:numFmt w:val="${format}"/><w:lvlText w:val="${text}"/></w:lvl>`
  const document = await mapped(
    [
      paragraph(run('Diagnoses'), '<w:pStyle w:val="Kop1"/>'),
      item('Asthma', 0),
      item('mild', 1),
      item('Gout', 0),
      item('old', 1),
      paragraph(`${run('Measured')}<w:r><w:footnoteReference w:id="2"/></w:r>`),
    ],
    {
      'word/styles.xml': '<w:styles><w:style w:styleId="Kop1"><w:name w:val="heading 1"/></w:style></w:styles>',
      'word/numbering.xml': `<w:numbering><w:abstractNum w:abstractNumId="1">${level(0, 'decimal', '%1.')}${level(1, 'lowerLetter', '%1.%2)')}</w:abstractNum>
<w:num w:numId="3"><w:abstractNumId w:val="1"/></w:num></w:numbering>`,
      'word/footnotes.xml': `<w:footnotes><w:footnote w:id="2">${paragraph(run('twice'))}</w:footnote></w:footnotes>`,
      'word/footer1.xml': `<w:ftr>${paragraph(run('Page 1'))}</w:ftr>`,
    },
  )
  t.equal(document.text, 'Diagnoses\n1. Asthma\n1.a) mild\n2. Gout\n2.a) old\nMeasured [1]\n[1] twice\nPage 1')
  t.equal(document.lines[0]?.isBold, true)
})

test('what was deleted, is hidden or only asks to be filled in is not there; what was inserted is', async (t) => {
  const { text } = await mapped([
    paragraph(`<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:ins>${run('inserted ')}</w:ins>`),
    paragraph(`${run('unseen', '<w:vanish/>')}${run('seen')}`),
    paragraph(`<w:r><w:fldChar w:fldCharType="begin"/><w:instrText>DATE</w:instrText></w:r>${run('3 May 2021')}`),
    `<w:sdt><w:sdtPr><w:showingPlcHdr/></w:sdtPr><w:sdtContent>${paragraph(run('Click here'))}</w:sdtContent></w:sdt>`,
    `<w:sdt><w:sdtContent>${paragraph(run('filled in'))}</w:sdtContent></w:sdt>`,
    `<w:p><w:r><w:t>5</w:t><w:sym w:font="Symbol" w:char="F0B3"/><w:noBreakHyphen/><w:softHyphen/></w:r></w:p>`,
  ])
  t.equal(text, 'inserted\nseen\n3 May 2021\nfilled in\n5≥-')
})

test('cells that are joined keep the others in their columns', async (t) => {
  const document = await mapped([
    `<w:tbl>${row(cell('Drug', '<w:gridSpan w:val="2"/>'), cell('Dose'))}
${row(cell('Statin', '<w:vMerge w:val="restart"/>'), cell('Atorvastatin'), cell('20 mg'))}
${row(cell('', '<w:vMerge/>'), cell('Rosuvastatin'), cell('5 mg'))}</w:tbl>`,
  ])
  t.same(
    document.lines.map(({ cells }) => cells.map(({ column }) => column)),
    [
      [0, 2],
      [0, 1, 2],
      [1, 2],
    ],
  )
})

test('a text box is read once, and lines set with tabs are rows', async (t) => {
  const box = `<wps:txbx><w:txbxContent>${paragraph(run('in a box'))}</w:txbxContent></wps:txbx>`
  const tabbed = (...parts: string[]) => paragraph(parts.map((part) => run(part)).join('<w:r><w:tab/></w:r>'))
  const document = await mapped([
    `<w:p><mc:AlternateContent><mc:Choice><w:r><w:drawing>${box}</w:drawing></w:r></mc:Choice><mc:Fallback>${box}</mc:Fallback></mc:AlternateContent></w:p>`,
    tabbed('Sodium', '140', 'mmol/L'),
    tabbed('Potassium', '4.2', 'mmol/L'),
  ])
  t.equal(document.text.match(/in a box/g)?.length, 1)
  t.same(rowsOf(document).at(-1), ['Potassium', '4.2', 'mmol/L'])
})

test('comments can be seen, but are not read as what the letter says', async (t) => {
  const document = await mapped([paragraph(run('Takes metformin.'))], {
    'word/comments.xml': `<w:comments><w:comment w:author="Dr Lee">${paragraph(run('ask about diabetes'))}</w:comment></w:comments>`,
  })
  t.match(document.text, /Dr Lee: ask about diabetes/)
  t.match(forRules(document).text, /metformin/)
  t.notMatch(forRules(document).text, /diabetes/)
})

test('what is struck out can be seen, and is taken back', async (t) => {
  const struckIn = async (body: readonly string[], parts: Readonly<Record<string, string>> = {}) => {
    const { text, words } = await mapped(body, parts)
    return words
      .filter(({ isStruck }) => isStruck === true)
      .map((word) => text.slice(word.start, word.start + word.length))
  }
  const told = ['(struck', 'out)']
  t.same(await struckIn([paragraph(`${run('Metformin ')}${run('500', '<w:strike/>')}${run(' 1000 mg')}`)]), [
    '500',
    ...told,
  ])
  t.same(await struckIn([paragraph(`${run('100', '<w:dstrike/>')}${run('0 mg')}`)]), ['100', ...told])
  t.same(await struckIn([paragraph(run('Metformin', '<w:strike w:val="0"/>'))]), [])
  const styles = {
    'word/styles.xml':
      '<w:styles><w:style w:styleId="Over"><w:name w:val="Ceased"/><w:rPr><w:strike/></w:rPr></w:style></w:styles>',
  }
  const over = '<w:pStyle w:val="Over"/>'
  t.same(await struckIn([paragraph(run('Warfarin'), over)], styles), ['Warfarin', ...told])
  t.same(await struckIn([paragraph(run('Warfarin', '<w:rStyle w:val="Over"/>'))], styles), ['Warfarin', ...told])
  t.same(await struckIn([paragraph(run('Ramipril', '<w:strike w:val="false"/>'), over)], styles), [])

  const list = await mapped([
    paragraph(run('Current medications', '<w:b/>')),
    paragraph(`${run('War', '<w:strike/>')}${run('farin 5 mg daily', '<w:strike/><w:i/>')}`),
    paragraph(`${run('Metformin ')}${run('500 mg', '<w:strike/>')}${run(' 1000 mg twice daily')}`),
  ])
  t.match(list.text, /Warfarin 5 mg daily \(struck out\)/)
  t.same(
    findFacts(forRules(list)).facts.map(({ text, value, detail }) => [text, value, detail.clinicalStatus]),
    [
      ['Warfarin', '5', 'stopped'],
      ['Metformin', '1000', 'active'],
    ],
  )
})

test('a scan that is pasted into a letter is read on a page of its own', async (t) => {
  const { png } = await pictureOfText(['Potassium 4.2 mmol/L'])
  const seen: OcrProvider = {
    ...noOcr,
    recognise: async () => ({
      confidence01: 0.9,
      words: ['one', 'two', 'three'].map((text, index) => ({
        text,
        confidence01: 0.9,
        box: [100 * index, 10, 100 * index + 80, 30] as const,
        line: 0,
        block: 0,
      })),
    }),
  }
  const drawing =
    '<w:drawing><wp:inline><wp:extent cx="5400000" cy="3600000"/><a:blip r:embed="rId7"/></wp:inline></w:drawing>'
  const file = zipOf(
    {
      'word/document.xml': `<w:document><w:body><w:p><w:r><w:t>See below.</w:t>${drawing}</w:r></w:p></w:body></w:document>`,
      'word/_rels/document.xml.rels':
        '<Relationships><Relationship Id="rId7" Target="media/image1.png"/></Relationships>',
    },
    { name: 'word/media/image1.png', packed: deflateRawSync(png), unpackedBytes: png.length },
  )
  const pages = await readBytes(file, wordType, seen)
  t.same(
    pages.map(({ number, source }) => [number, source]),
    [
      [1, 'structured'],
      [2, 'ocr'],
    ],
  )
})
