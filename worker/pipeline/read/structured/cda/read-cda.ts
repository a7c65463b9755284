/**
 * CDA and C-CDA: who it is about, then section by section its narrative as written, and below it what the section says
 * in codes. Bodies of another kind (text, RTF, PDF) are read as what they are.
 */
import { createDataSheet, type DataRow, type DataSheet } from '../data-sheet.ts'
import { asData, type Flow, type FlowBlock, type FlowRun } from '../flow.ts'
import { readHtml } from '../html-blocks.ts'
import { decodeText } from '../plain-text.ts'
import { decodeXml } from '../xml-encoding.ts'
import { readRichText } from '../rich-text.ts'
import { identityFact, isoDate } from '../stated-fact.ts'
import { all, attribute, first, isElement, readTree, textOf, type Element } from '../xml-tree.ts'
import { sectionKind, isPastSection } from './section-kind.ts'
import type { EntryContext } from './statement.ts'
import { readEntry } from './statements.ts'
import { codesOf, nameOfCode, timeOf, wordsOfAddress, wordsOfName, wordsOfTelecom } from './values.ts'
import { narrativeSource } from './narrative-source.ts'

export function readClinicalDocument(file: Buffer): Flow {
  const root = readTree(decodeXml(file))
  const document = first(root, 'ClinicalDocument') ?? root
  const sheet = createDataSheet()
  const people = all(document, 'recordTarget', 'patientRole')
  sheet.heading(
    textOf(first(document, 'title')) || nameOfCode(first(document, 'code'), new Map()) || 'Clinical document',
  )
  people.forEach((person, place) => printPerson(sheet, person, people.length > 1 ? `${place + 1}` : null))
  printHeader(sheet, document)
  // With several people in one document nobody can tell whose its entries are.
  const subject = people.length > 1 ? '0' : null
  for (const section of all(document, 'component', 'structuredBody', 'component', 'section'))
    printSection(sheet, section, subject, 0)
  for (const body of all(document, 'component', 'nonXMLBody')) printOtherBody(sheet, first(body, 'text'))
  return sheet.flow()
}

function printPerson(sheet: DataSheet, role: Element, subject: string | null): void {
  const patient = first(role, 'patient')
  const names = all(patient, 'name')
    .map(wordsOfName)
    .filter((name) => name !== '')
  const [name = '', ...others] = names
  if (name !== '') sheet.field('Patient', name, identityFact('name', name, subject))
  sheet.field('Also known as', others.join('; '))
  const birth = isoDate(attribute(first(patient, 'birthTime'), 'value'))
  if (birth !== null) sheet.field('Date of birth', birth, identityFact('date_of_birth', birth, subject))
  const sexCode = first(patient, 'administrativeGenderCode')
  const sex = nameOfCode(sexCode, new Map()) || attribute(sexCode, 'code')
  if (sex !== '') sheet.field('Sex', sex, identityFact('sex', sex, subject))
  for (const id of all(role, 'id')) {
    const isIhi = attribute(id, 'root').startsWith('1.2.36.1.2001.1003.0.8003')
    const number = isIhi ? attribute(id, 'root').slice('1.2.36.1.2001.1003.0.'.length) : attribute(id, 'extension')
    sheet.field(
      isIhi ? 'IHI' : 'Patient ID',
      number,
      number === '' ? undefined : identityFact(isIhi ? 'ihi' : 'mrn', number, subject),
    )
  }
  sheet.field('Address', all(role, 'addr').map(wordsOfAddress).filter(Boolean).join('; '))
  sheet.field('Contact', wordsOfTelecom(role))
  sheet.field('Practice', textOf(first(role, 'providerOrganization', 'name')))
}

function printHeader(sheet: DataSheet, document: Element): void {
  sheet.field('Date', isoDate(attribute(first(document, 'effectiveTime'), 'value')) ?? '')
  const authors = all(document, 'author', 'assignedAuthor').map(
    (author) =>
      wordsOfName(first(author, 'assignedPerson', 'name')) || textOf(first(author, 'representedOrganization', 'name')),
  )
  sheet.field('Author', [...new Set(authors.filter(Boolean))].join(', '))
  sheet.field(
    'Kept by',
    textOf(first(document, 'custodian', 'assignedCustodian', 'representedCustodianOrganization', 'name')),
  )
  for (const visit of all(document, 'componentOf', 'encompassingEncounter')) {
    const { start, end } = timeOf(first(visit, 'effectiveTime'))
    sheet.field(
      'Encounter',
      [nameOfCode(first(visit, 'code'), new Map()), start, end === null ? '' : `to ${end}`].filter(Boolean).join(' '),
    )
    sheet.field('Where', textOf(first(visit, 'location', 'healthCareFacility', 'location', 'name')))
  }
  for (const event of all(document, 'documentationOf', 'serviceEvent')) {
    const { start, end } = timeOf(first(event, 'effectiveTime'))
    sheet.field('Care', [start, end].filter(Boolean).join(' to '))
    const performers = all(event, 'performer', 'assignedEntity', 'assignedPerson', 'name').map(wordsOfName)
    sheet.field('By', performers.filter(Boolean).join(', '))
  }
}

const deepestSection = 12

function printSection(sheet: DataSheet, section: Element, subject: string | null, depth: number): void {
  if (depth > deepestSection) return
  const code = codesOf(first(section, 'code'))[0]?.code ?? ''
  const title = textOf(first(section, 'title')) || nameOfCode(first(section, 'code'), new Map())
  sheet.heading(title)
  const narrative = first(section, 'text')
  const references = new Map<string, string>()
  if (narrative !== null) gatherReferences(narrative, references)
  const context = { section: sectionKind(code, title), references, isPast: isPastSection(code, title) }
  const rows = all(section, 'entry').flatMap((entry) => readEntry(entry, context))
  if (narrative !== null) printNarrative(sheet, readHtml(narrativeSource(narrative)), { rows, subject, context })
  printRows(sheet, rows, subject)
  for (const inner of all(section, 'component', 'section')) printSection(sheet, inner, subject, depth + 1)
}

type Beside = { readonly rows: readonly DataRow[]; readonly subject: string | null; readonly context: EntryContext }

/**
 * Narrative is for people, and in most sections a table or list of what the entries say. Where the entries cover it, it
 * is not read a second time; what has more rows than there are entries is, and so are paragraphs.
 */
function printNarrative(sheet: DataSheet, blocks: readonly FlowBlock[], { rows, subject, context }: Beside): void {
  const listed = blocks.reduce((sum, block) => sum + rowsIn(block), 0)
  const isCovered =
    rows.length > 0 && listed <= 1.3 * rows.length + 1 && context.section !== 'other' && context.section !== 'plan'
  for (const block of blocks) sheet.block(subject !== null || (isCovered && rowsIn(block) > 0) ? asData(block) : block)
}

const isItem = (runs: readonly FlowRun[]) => /^(?:•|\d+\.)$/.test(runs[0]?.text.trim() ?? '')

/** Rows that begin in their first cell: others say more of the one above. */
function rowsIn(block: FlowBlock): number {
  if (block.kind === 'table') return Math.max(1, block.rows.filter(isRow).length)
  return block.kind === 'paragraph' && isItem(block.runs) ? 1 : 0
}

const isRow = (row: readonly (readonly FlowRun[])[]) =>
  row[0]?.some(({ text }) => text.trim() !== '') === true && row.some((cell) => cell.some(({ isBold }) => !isBold))

function printRows(sheet: DataSheet, rows: readonly DataRow[], subject: string | null): void {
  for (const ofType of Map.groupBy(rows, ({ fact }) => fact.type).values())
    sheet.rows(
      ofType.map((row) =>
        subject === null ? row : { ...row, fact: { ...row.fact, detail: { ...row.fact.detail, subject } } },
      ),
    )
}

function gatherReferences(element: Element, references: Map<string, string>): void {
  const id = element.attributes('ID')
  if (id !== '' && !references.has(id)) references.set(id, textOf(element))
  for (const child of element.children) if (isElement(child)) gatherReferences(child, references)
}

function printOtherBody(sheet: DataSheet, body: Element | null): void {
  const type = attribute(body, 'mediaType').toLowerCase()
  const isPacked = attribute(body, 'representation') === 'B64'
  const text = textOf(body)
  const bytes = isPacked ? Buffer.from(text, 'base64') : Buffer.from(text)
  const pointed = attribute(first(body, 'reference'), 'value')
  sheet.field('Document', [type, pointed === '' ? '' : `kept elsewhere: ${pointed}`].filter(Boolean).join(', '))
  if (bytes.length === 0) return
  if (type.includes('pdf') || type.startsWith('image/')) sheet.attach({ mimeType: type, bytes })
  else if (type.includes('rtf')) for (const block of readRichText(bytes).blocks) sheet.block(block)
  else if (type.includes('html')) for (const block of readHtml(decodeText(bytes))) sheet.block(block)
  else sheet.text(decodeText(bytes))
}
