/**
 * HL7 v2: results in tables under their order, notes under their result, the person at the top. Reports that come as
 * text are running text; those that come as PDF are pages of their own.
 */
import { createDataSheet, type DataRow, type DataSheet } from '../data-sheet.ts'
import type { Flow } from '../flow.ts'
import { decodeText } from '../plain-text.ts'
import { readRichText } from '../rich-text.ts'
import { identityFact, isoDate } from '../stated-fact.ts'
import {
  readAllergySegment,
  readDiagnosis,
  readMedicineSegment,
  readProblemSegment,
  readProcedureSegment,
  readVaccination,
  readVisit,
} from './clinical-segments.ts'
import { part, partOf, segmentsOf, unescaped, wordsOfField, type Segment } from './message.ts'
import { codedElement, isText, readObx } from './observation.ts'

export function readHl7(file: Buffer): Flow {
  const segments = segmentsOf(decodeText(file))
  const people = [...new Set(segments.filter(({ name }) => name === 'PID').map(signatureOf))]
  const open: Open = {
    sheet: createDataSheet(),
    people,
    subject: people.length > 1 ? '0' : null,
    rows: [],
    order: { date: '', panel: '', specimen: '' },
    segments,
    isVaccination: false,
    hasResults: segments.some((each) => each.name === 'OBX' && !isText(each) && part(each, 2) !== 'ED'),
    textName: null,
  }
  segments.forEach((segment, place) => readSegment(open, segment, place))
  flush(open)
  return open.sheet.flow()
}

type Open = {
  readonly sheet: DataSheet
  readonly segments: readonly Segment[]
  /** Who the messages of the file are about, each once. */
  readonly people: readonly string[]
  subject: string | null
  rows: DataRow[]
  order: { date: string; panel: string; specimen: string }
  isVaccination: boolean
  readonly hasResults: boolean
  /** Of the text above: a report comes line by line, each with the same name. */
  textName: string | null
}

/** Name and date of birth; an identifier where there is neither. */
function signatureOf(segment: Segment): string {
  const name = [part(segment, 5, 1), part(segment, 5, 2)].join(' ').toLowerCase()
  const birth = isoDate(part(segment, 7)) ?? ''
  return JSON.stringify(name.trim() === '' && birth === '' ? part(segment, 3) : [name, birth])
}

function readSegment(open: Open, segment: Segment, place: number): void {
  const { sheet } = open
  const row = rowOf(open, segment, place)
  if (row !== null) {
    if (open.rows.length > 0 && open.rows[0]?.fact.type !== row.fact.type) flush(open)
    open.rows.push(withSubject(open, row))
    return
  }
  if (segment.name === 'OBX') return readTextOrFile(open, segment)
  if (envelope.has(segment.name)) return
  flush(open)
  open.textName = null
  if (segment.name === 'MSH') startMessage(open, segment)
  else if (segment.name === 'PID') startPatient(open, segment)
  else if (segment.name === 'OBR') startOrder(open, segment)
  else if (segment.name === 'SPM') sheet.field('Specimen', part(segment, 4, 2) || part(segment, 4))
  else if (segment.name === 'NTE')
    say(
      open,
      segment
        .repeats(3)
        .map((each) => unescaped(each, segment.separators))
        .join('\n'),
    )
  else sheet.field(segmentNames[segment.name] ?? segment.name, wordsOfAll(segment))
}

const envelope = new Set(['FHS', 'BHS', 'BTS', 'FTS', 'ORC', 'RXR', 'EVN', 'MSA', 'QAK', 'QPD', 'DSC'])
const segmentNames: Readonly<Record<string, string>> = {
  NK1: 'Next of kin',
  PV1: 'Visit',
  PV2: 'Visit',
  PD1: 'More on the patient',
  IN1: 'Insurance',
  GT1: 'Guarantor',
  TXA: 'Document',
  TQ1: 'Timing',
  ERR: 'Error',
}

function rowOf(open: Open, segment: Segment, place: number): DataRow | null {
  switch (segment.name) {
    case 'OBX':
      // Under a vaccination they speak of funding and leaflets.
      return isText(segment) || ['ED', 'RP'].includes(part(segment, 2))
        ? null
        : asCounted(readObx(segment, open.order), !open.isVaccination)
    case 'AL1':
    case 'IAM':
      return readAllergySegment(segment)
    case 'DG1':
      return readDiagnosis(segment)
    case 'PRB':
      return readProblemSegment(segment)
    case 'PR1':
      return readProcedureSegment(segment)
    case 'RXA':
      open.isVaccination = true
      return readVaccination(segment, routeAfter(open, place))
    case 'RXE':
    case 'RXO':
    case 'RXD':
      return readMedicineSegment(segment)
    default:
      return segment.name === 'PV1' ? readVisit(segment) : null
  }
}

const asCounted = (row: DataRow, isCounted: boolean): DataRow => ({ ...row, isEntry: row.isEntry && isCounted })

function routeAfter({ segments }: Open, place: number): Segment | null {
  const after = segments.slice(place + 1, place + 4)
  const end = after.findIndex(({ name }) => name === 'RXA' || name === 'ORC')
  return (end === -1 ? after : after.slice(0, end)).find(({ name }) => name === 'RXR') ?? null
}

function withSubject({ subject }: Open, row: DataRow): DataRow {
  return subject === null ? row : { ...row, fact: { ...row.fact, detail: { ...row.fact.detail, subject } } }
}

function flush(open: Open): void {
  const rows = open.rows.splice(0)
  open.sheet.rows(rows)
}

function startMessage(open: Open, segment: Segment): void {
  open.isVaccination = false
  open.order = { date: '', panel: '', specimen: '' }
  // Until its own patient is named, nobody knows whom a further message is about.
  if (open.subject !== null) open.subject = '0'
  // A report in words is no laboratory's, and is read in another way.
  const isReport = part(segment, 9) === 'ORU' && !open.hasResults
  const kind = isReport ? 'Report' : (messageKinds[part(segment, 9)] ?? `Message ${wordsOfField(segment, 9)}`)
  open.sheet.heading(kind)
  open.sheet.field('From', [part(segment, 3), part(segment, 4)].filter(Boolean).join(', '))
  open.sheet.field('Sent', isoDate(part(segment, 7)) ?? '')
}

const messageKinds: Readonly<Record<string, string>> = {
  ORU: 'Laboratory results',
  ORM: 'Order',
  OML: 'Laboratory order',
  OMP: 'Medication order',
  RDE: 'Prescription',
  ADT: 'Admission record',
  VXU: 'Immunisation record',
  MDM: 'Document',
  REF: 'Referral',
  PPR: 'Problem list',
}

function startPatient(open: Open, segment: Segment): void {
  const { sheet, people } = open
  open.subject = people.length > 1 ? String(people.indexOf(signatureOf(segment)) + 1) : null
  const [first = '', ...otherNames] = segment.repeats(5).map((repeat) => wordsOfName(segment, repeat))
  if (first !== '') sheet.field('Patient', first, identityFact('name', first, open.subject))
  sheet.field('Also known as', otherNames.filter(Boolean).join('; '))
  const birth = isoDate(part(segment, 7))
  if (birth !== null) sheet.field('Date of birth', birth, identityFact('date_of_birth', birth, open.subject))
  const sex = sexes[part(segment, 8)] ?? part(segment, 8)
  if (sex !== '') sheet.field('Sex', sex, identityFact('sex', sex, open.subject))
  for (const repeat of segment.repeats(3)) {
    const [number, type] = [partOf(segment, repeat, 1), partOf(segment, repeat, 5)]
    const kind = type === 'MC' ? 'medicare_number' : type === 'NI' ? 'ihi' : type === 'MR' ? 'mrn' : null
    sheet.field(
      identifierLabels[type] ?? 'Identifier',
      number,
      kind === null ? undefined : identityFact(kind, number, open.subject),
    )
  }
  sheet.field('Address', wordsOfField(segment, 11))
  sheet.field('Contact', [wordsOfField(segment, 13), wordsOfField(segment, 14)].filter(Boolean).join('; '))
  for (const place of [9, 10, 15, 16, 17, 22]) sheet.remark(wordsOfField(segment, place))
}

const sexes: Readonly<Record<string, string>> = { F: 'female', M: 'male', O: 'other', U: 'unknown' }
const identifierLabels: Readonly<Record<string, string>> = { MR: 'MRN', MC: 'Medicare', NI: 'IHI', PI: 'Patient ID' }

/** Family, given, second, suffix, prefix. */
function wordsOfName(segment: Segment, repeat: string): string {
  return [5, 2, 3, 1, 4]
    .map((place) => partOf(segment, repeat, place))
    .filter(Boolean)
    .join(' ')
}

function startOrder(open: Open, segment: Segment): void {
  const { name } = codedElement(segment, segment.repeats(4)[0] ?? '')
  open.order = { date: part(segment, 7) || part(segment, 22), panel: name, specimen: part(segment, 15) }
  open.isVaccination = false
  open.sheet.heading(name || 'Order')
  open.sheet.field('Collected', isoDate(part(segment, 7)) ?? '')
  open.sheet.field('Reported', isoDate(part(segment, 22)) ?? '')
  open.sheet.field('Specimen', wordsOfField(segment, 15))
  open.sheet.field(
    'Ordered by',
    [part(segment, 16, 6), part(segment, 16, 3), part(segment, 16, 2)].filter(Boolean).join(' '),
  )
  open.sheet.field('Reason', wordsOfField(segment, 31) || part(segment, 13))
}

/** The rules may read what is said of the one person of the file; of several nobody can tell whose it is. */
function say(open: Open, text: string): void {
  if (text.trim() === '') return
  if (open.subject === null) open.sheet.text(text)
  else open.sheet.remark(text)
}

function readTextOrFile(open: Open, segment: Segment): void {
  flush(open)
  const { name } = codedElement(segment, segment.repeats(3)[0] ?? '')
  if (part(segment, 2) === 'ED') return readEncapsulated(open, segment, name)
  if (part(segment, 2) === 'RP') return open.sheet.field(name, `kept elsewhere: ${wordsOfField(segment, 5)}`)
  const text = segment
    .repeats(5)
    .map((repeat) => unescaped(repeat, segment.separators).replaceAll(segment.separators.component, ' '))
    .join('\n')
  const isWithdrawn = ['D', 'W', 'X'].includes(part(segment, 11))
  if (name !== open.textName) open.sheet.heading(name)
  open.textName = name
  if (isWithdrawn) open.sheet.remark(`withdrawn: ${text}`)
  else say(open, text)
}

/** source^type^subtype^encoding^data */
function readEncapsulated(open: Open, segment: Segment, name: string): void {
  const repeat = segment.repeats(5)[0] ?? ''
  const [, type = '', subtype = '', encoding = ''] = [1, 2, 3, 4].map((place) =>
    partOf(segment, repeat, place).toLowerCase(),
  )
  const data = unescaped(repeat.split(segment.separators.component).slice(4).join(''), segment.separators)
  const bytes = encoding === 'base64' ? Buffer.from(data, 'base64') : Buffer.from(data)
  open.sheet.field(name || 'Attached', `${[type, subtype].filter(Boolean).join(' ')} attached`)
  if (subtype.includes('pdf')) open.sheet.attach({ mimeType: 'application/pdf', bytes })
  else if (['jpeg', 'png', 'tiff'].includes(subtype)) open.sheet.attach({ mimeType: `image/${subtype}`, bytes })
  else if (subtype === 'rtf') for (const block of readRichText(bytes).blocks) open.sheet.block(block)
  else if (type === 'text' || type === 'tx' || type === 'ft') say(open, decodeText(bytes))
}

function wordsOfAll(segment: Segment): string {
  return Array.from({ length: 60 }, (_, place) => wordsOfField(segment, place + 1))
    .filter(Boolean)
    .join('  ')
}
