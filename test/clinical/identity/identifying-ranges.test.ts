import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { identifyingRanges } from '../../../clinical/identity/identifying-ranges.ts'
import { hideRanges } from '../../../worker/pipeline/sent-text.ts'
import { printDocument } from '../extraction/print-document.ts'

function hidden(lines: string, known: { names?: readonly string[]; bornOn?: string } = {}): string {
  const document = printDocument(lines)
  const { facts } = findFacts(document)
  const ranges = identifyingRanges(document, { facts, names: known.names ?? [], bornOn: known.bornOn ?? null })
  const sent = hideRanges(document.text, ranges)
  if (sent.length !== document.text.length) throw new Error('offsets moved')
  return sent
}

test('who somebody is does not leave, in the wordings of two countries', (t) => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['Patient: QUENNELL, Maude   DOB: 03/03/1951   Sex: F', /quennell|maude|1951/i],
    ['Patient Name: Jorah Pemberwick  Date of Birth: March 3, 1951', /jorah|pemberwick|1951/i],
    ['RE: Mrs Maude Quennell, born 3 March 1951', /quennell|maude|1951/i],
    ['Dear Dr Oswin Tarrow,', /oswin|tarrow/i],
    ['Seen by Dr. O. Tarrow, and Yselle Brandt, RN', /tarrow|yselle|brandt/i],
    ['Referring provider: Hollis Vane MD', /hollis|vane/i],
    ['Her husband Corwin drives. Next of kin: Corwin Quennell (0412 345 678)', /corwin|quennell|0412|678/i],
    ['her daughter, Isolde, lives in Perth', /isolde/i],
    ['Ph: (03) 9123 4567 Fax: 03 9123 4568 Mobile 0412 345 678', /9123|456[78]|0412/],
    ['Phone: (555) 014-2277, cell 555-014-2278, +1 555 014 2279', /014|227[789]/],
    ['Email maude.q@example.org.au, see https://portal.example.com/p/77', /maude|example/],
    ['9 Jetty Road, Glenelg SA 5045', /jetty|glenelg|5045/i],
    ['Apt 4, 1200 Old Mill Blvd, Springfield, IL 62704', /old mill|springfield|62704|1200/i],
    ['PO Box 771, Yarram VIC 3971', /771|yarram/i],
    ['Medicare: 3435 69407 5/4  IHI 8003 6012 3456 7890', /69407|6012|7890/],
    ['MRN: A0012345  SSN 123-45-6789  Lab No: 21-3970789', /0012345|6789|3970789/],
    ['Provider No. 244528BY  Policy number XK-99812', /244528|99812/],
  ]
  for (const [line, identifying] of rows) t.notMatch(hidden(line), identifying, line)
  t.end()
})

test('a name that was read once is hidden wherever it comes again, and what is known of the profile too', (t) => {
  const letter = [
    'Patient: Maude Quennell  DOB: 3 March 1951',
    'Maude was well. Mrs Quennell walks, and Quennell’s knee is better.',
    'Born on 03/03/1951. Seen 4 April 2021.',
  ].join('\n')
  const sent = hidden(letter)
  t.notMatch(sent, /maude|quennell|1951/i)
  t.match(sent, /knee is better/)
  t.match(sent, /4 April 2021/, 'other days stay')
  t.notMatch(
    hidden('Jorah has zorbitis since 3 March 1951', { names: ['Jorah Pemberwick'], bornOn: '1951-03-03' }),
    /Jorah|1951/,
  )
  t.end()
})

test('what is medicine is still there to be read', (t) => {
  const note = [
    'Assessment: Type 2 diabetes mellitus, HbA1c 7.6 % on 4 April 2021',
    'Metformin 500 mg twice daily. BP 132/84 mmHg, weight 80.5 kg.',
    'Haemoglobin 131 g/L (120 - 160). Parkinson disease excluded. Father had a stroke.',
    'Plan: repeat bloods in 3 months.',
  ].join('\n')
  t.equal(hidden(note), printDocument(note).text)
  t.end()
})

test('a first name that stands alone does not leave either', (t) => {
  for (const [line, name] of [
    ['Maria was seen in clinic today.', /maria/i],
    ['Discussed with Anthony by telephone. Anthony’s daughter will help.', /anthony/i],
    ['Thuylinh denies chest pain and lives alone.', /thuylinh/i],
    ['Yasmin was well. She takes Yasmin daily.', /^yasmin/i],
    ['I saw Priya, who has asthma.', /priya/i],
    ['Lives with Isolde Crohn. Married to Corwin.', /isolde|crohn|corwin/i],
  ] as const)
    t.notMatch(hidden(line), name, line)
  t.match(hidden('Yasmin was well. She takes Yasmin daily.'), /takes Yasmin daily/)
  t.end()
})

test('a name that is a word of medicine or of English leaves these words', (t) => {
  const rows: readonly (readonly [name: string, text: string, gone: RegExp, stays: readonly string[]])[] = [
    ['Ann Crohn', 'Ann Crohn was seen. Crohn disease since 2010.', /ann crohn was/i, ['Crohn disease since 2010']],
    ['James Parkinson', 'Parkinson’s disease excluded. Mr Parkinson walks.', /mr parkinson/i, ['Parkinson’s disease']],
    [
      'May Rose',
      'Seen 4 May 2021. May cause drowsiness. May was well.',
      /may was/i,
      ['4 May 2021', 'May cause drowsiness'],
    ],
    ['Grace Will', 'Will need bloods in May. Grace is well.', /grace is/i, ['Will need bloods in May']],
    ['Peter Brown', 'Brown discharge. Peter Brown lives alone.', /peter|brown lives/i, ['Brown discharge']],
    ['Rose Bell', 'Bell’s palsy in 2015. Mrs Bell denies pain.', /mrs bell/i, ['Bell’s palsy in 2015']],
  ]
  for (const [name, text, gone, stays] of rows) {
    const sent = hidden(text, { names: [name] })
    t.notMatch(sent, gone, text)
    for (const words of stays) t.ok(sent.includes(words), `${words} in: ${sent}`)
  }
  const plain =
    'Warfarin was ceased. Surgery was planned. Pain is worse. Wife reports snoring. Patient denies fever. CT reported normal. He presented late.'
  t.equal(hidden(plain), printDocument(plain).text)
  t.end()
})

test('words of the same shape and length stand in their place', (t) => {
  t.equal(hideRanges('Ann O’Neil, 12/03/1950 😀', [{ start: 0, end: 22 }]), 'Xxx X’Xxxx, 00/00/0000 😀')
  t.equal(hideRanges('a b', []), 'a b')
  t.end()
})
