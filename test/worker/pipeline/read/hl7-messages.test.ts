import { test } from 'tap'
import { pdfOfLines } from '../../../support/pdf.ts'
import { readBytes } from '../../../support/read-bytes.ts'
import { readData, saidIn } from '../../../support/read-data.ts'

const hl7Type = 'x-application/hl7-v2+er7'
const hl7 = (...segments: string[]) => ['MSH|^~\\&|LAB|HOSP|||20210203||ORU^R01|1|P|2.4', ...segments].join('\r')
const pid = 'PID|1||1^^^H^MR||QUIST^WILHELMINA||19610409|F'

test('HL7 results keep titres, comparators, coded values and times', async (t) => {
  const { stated } = await readData(
    hl7(
      pid,
      'OBR|1|||1^Panel^L|||202102030815',
      'OBX|1|NM|718-7^Haemoglobin^LN||131|g/L|120-160|N|||F',
      'OBX|2|SN|1^eGFR^L||>^90|mL/min||||F',
      'OBX|3|SN|2^Titre^L||^1^:^128|||A|||F',
      'OBX|4|CWE|883-9^ABO group^LN||A^Group A^L||||||F',
      'OBX|5|NM|2951-2^Sodium^LN||999|mmol/L|||||W',
    ),
    hl7Type,
  )
  t.same(
    stated.filter(({ type }) => type === 'lab_result').map(({ text, value, date }) => [text, value, date?.iso]),
    [
      ['Haemoglobin', '131', '2021-02-03'],
      ['eGFR', '>90', '2021-02-03'],
      ['Titre', '1:128', '2021-02-03'],
      ['ABO group', 'Group A', '2021-02-03'],
    ],
  )
})

test('HL7 letters that stand for others are read, with whatever separators the message names', async (t) => {
  const usual = await readData(
    hl7(pid, 'OBX|1|FT|1^Report^L||Lungs clear\\.br\\P\\T\\A \\F\\ \\X41\\||||||F', 'NTE|1||Taken \\S\\ fasting'),
    hl7Type,
  )
  t.match(usual.document.text, /Lungs clear\nP&A \| A/)
  t.match(usual.document.text, /Taken \^ fasting/)
  const others = 'MSH#*~\\&#LAB\rPID#1##1##QUIST*WILHELMINA##19610409#F\rOBX#1#NM#718-7*Haemoglobin*LN##131#g/L'
  t.same(saidIn(await readData(others, hl7Type)), [['Haemoglobin', 'present']])
})

test('a batch with messages about two people says of each result whose it is', async (t) => {
  const result = (name: string) => `OBX|1|NM|1^${name}^L||5|mmol/L`
  const other = hl7('PID|1||2||OTHER^ANN||19700101|F', result('Urea')).replace('|1|P', '|2|P')
  const { stated } = await readData(`FHS|^~\\&\rBHS|^~\\&\r${hl7(pid, result('Sodium'))}\r${other}\rBTS|2`, hl7Type)
  const subjects = ['Sodium', 'Urea'].map((name) => stated.find(({ text }) => text === name)?.detail.subject)
  t.same(subjects, ['1', '2'])
})

test('vaccines that were refused or not given at all are never given', async (t) => {
  const dose = (vaccine: string, completion: string) =>
    `RXA|0|1|20150624||${vaccine}|0.5|mL|||||||||LOT1||||${completion}|A`
  const found = await readData(
    hl7(
      pid,
      dose('88^influenza^CVX', 'CP'),
      dose('33^pneumococcal^CVX', 'RE'),
      dose('998^no vaccine administered^CVX', 'CP'),
    ),
    hl7Type,
  )
  t.same(saidIn(found), [
    ['influenza', 'present'],
    ['pneumococcal', 'negated'],
  ])
})

test('a report that comes line by line has its name once, and is read as running text', async (t) => {
  const line = (text: string) => `OBX|1|TX|11488-4^Consultation note^LN||${text}||||||F`
  const { document, facts } = await readData(
    hl7(pid, line('She has type 2 diabetes.'), line(''), line('No pneumonia.')),
    hl7Type,
  )
  t.match(document.text, /Consultation note\nShe has type 2 diabetes\.\nNo pneumonia\./)
  t.match(
    facts.map(({ text, status }) => [text, status]),
    [
      ['type 2 diabetes', 'present'],
      ['pneumonia', 'negated'],
    ],
  )
})

test('a report that a message carries as PDF is read behind its results', async (t) => {
  const pdf = pdfOfLines([[{ text: 'Potassium 4.2 mmol/L', x: 72, y: 700, size: 12 }]]).toString('base64')
  const carried = (data: string) => hl7(pid, `OBX|1|ED|PDF^Report^L||LAB^application^pdf^Base64^${data}||||||F`)
  const pages = await readBytes(carried(pdf), hl7Type)
  t.same(
    pages.map(({ number, source }) => [number, source]),
    [
      [1, 'structured'],
      [2, 'text_layer'],
    ],
  )
  t.equal(pages[1]?.words.map(({ text }) => text).join(' '), 'Potassium 4.2 mmol/L')
  t.equal((await readBytes(carried('AAAA'), hl7Type)).length, 1, 'one that is broken costs its own pages alone')
})
