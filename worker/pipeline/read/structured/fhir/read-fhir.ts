/**
 * FHIR in JSON, R4 to R5: one resource, or a bundle of any kind. Sections of a document come in its own order, all else
 * by kind. Narrative is printed where it says more than the data beside it.
 */
import { decodeText } from '../plain-text.ts'
import { createDataSheet, type DataRow, type DataSheet } from '../data-sheet.ts'
import { asData, type Flow } from '../flow.ts'
import { at, isJson, listAt, textAt, type Json } from './json.ts'
import { libraryOf, typeOf, type Library } from './library.ts'
import { readMedicine } from './medicine-facts.ts'
import { narrativeOf, saysMore } from './narrative.ts'
import { readObservation } from './observation-facts.ts'
import { printPatient } from './patient.ts'
import {
  readAllergy,
  readCondition,
  readEncounter,
  readFamilyHistory,
  readImmunization,
  readProcedure,
  type ReadResource,
} from './problem-facts.ts'
import { printReport } from './report.ts'
import { subjectsOf } from './subjects.ts'
import { wordsOfAny, wordsOfConcept, wordsOfName } from './values.ts'

export function readFhir(file: Buffer): Flow {
  const root: unknown = JSON.parse(decodeText(file), (_name, value: unknown) => storable(value))
  const library = libraryOf(root)
  const sheet = createDataSheet()
  const subjects = subjectsOf(library)
  const context: Context = {
    sheet,
    library,
    readers: readersOf(library),
    words: (pointer, from) => wordsOfPointer(library, pointer, from),
    subjectOf: subjects.of,
    printed: new Set(),
  }
  const composition = library.resources.find((resource) => typeOf(resource) === 'Composition')
  sheet.heading(textAt(composition, 'title') || wordsOfConcept(at(composition, 'type')) || 'Health record')
  for (const patient of subjects.patients) printPatient(sheet, patient, subjects.of(patient))
  if (composition !== undefined) printComposition(context, composition)
  printRest(context)
  return sheet.flow()
}

/** Letters that no database keeps: NUL, and halves of a pair. */
function storable(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value
}

export type Context = {
  readonly sheet: DataSheet
  readonly library: Library
  readonly readers: ReadonlyMap<string, ReadResource>
  readonly words: (pointer: unknown, from: Json) => string
  readonly subjectOf: (resource: Json) => string | null
  readonly printed: Set<Json>
}

function readersOf(library: Library): ReadonlyMap<string, ReadResource> {
  const medicine = readMedicine(library)
  return new Map<string, ReadResource>([
    ['AllergyIntolerance', readAllergy],
    ['MedicationStatement', medicine],
    ['MedicationUsage', medicine],
    ['MedicationRequest', medicine],
    ['MedicationDispense', medicine],
    ['MedicationAdministration', medicine],
    ['Condition', readCondition],
    ['Immunization', readImmunization],
    ['Procedure', readProcedure],
    ['Observation', readObservation],
    ['FamilyMemberHistory', readFamilyHistory],
    ['Encounter', readEncounter],
  ])
}

function wordsOfPointer(library: Library, pointer: unknown, from: Json): string {
  if (!isJson(pointer)) return ''
  const target = library.find(pointer, from)
  const inner = at(target, 'practitioner')
  const name = listAt(target, 'name')
  const own = name.map((each) => (isJson(each) ? wordsOfName(each) : '')).find(Boolean) ?? textAt(target, 'name')
  return (
    own ||
    textAt(pointer, 'display') ||
    (isJson(inner) && target !== null ? wordsOfPointer(library, inner, target) : '') ||
    wordsOfConcept(at(target, 'type'))
  )
}

function printComposition(context: Context, composition: Json): void {
  const { sheet, words } = context
  sheet.field('Date', textAt(composition, 'date').slice(0, 10))
  sheet.field(
    'Author',
    listAt(composition, 'author')
      .map((each) => words(each, composition))
      .filter(Boolean)
      .join(', '),
  )
  sheet.field('Kept by', words(at(composition, 'custodian'), composition))
  context.printed.add(composition)
  for (const section of listAt(composition, 'section')) printSection(context, composition, section, 0)
}

function printSection(context: Context, composition: Json, section: unknown, depth: number): void {
  const { sheet, library } = context
  if (depth > 8) return
  sheet.heading(textAt(section, 'title') || wordsOfConcept(at(section, 'code')))
  const resources = listAt(section, 'entry')
    .map((pointer) => library.find(pointer, composition))
    .filter((resource) => resource !== null)
  const said = printGroups(context, resources)
  const narrative = narrativeOf(at(section, 'text'))
  if (saysMore(at(section, 'text'), narrative, said)) narrative.forEach((block) => sheet.block(block))
  const reason = wordsOfConcept(at(section, 'emptyReason'))
  if (reason !== '' && narrative.length === 0) sheet.remark(reason)
  for (const inner of listAt(section, 'section')) printSection(context, composition, inner, depth + 1)
}

const headings: readonly (readonly [title: string, ...types: string[]])[] = [
  ['Allergies', 'AllergyIntolerance'],
  [
    'Medicines',
    'MedicationStatement',
    'MedicationUsage',
    'MedicationRequest',
    'MedicationDispense',
    'MedicationAdministration',
  ],
  ['Conditions', 'Condition'],
  ['Immunisations', 'Immunization'],
  ['Procedures', 'Procedure'],
  ['Reports', 'DiagnosticReport'],
  ['Observations', 'Observation'],
  ['Family history', 'FamilyMemberHistory'],
  ['Encounters', 'Encounter'],
]
/** Said elsewhere already, or about the exchange and not the person. */
const notPrinted = new Set('Patient Composition Provenance Binary AuditEvent MessageHeader OperationOutcome'.split(' '))

function printRest(context: Context): void {
  const isLeft = (resource: Json) => !context.printed.has(resource) && !notPrinted.has(typeOf(resource))
  const byType = Map.groupBy(context.library.resources.filter(isLeft), typeOf)
  for (const [title, ...types] of headings) {
    const resources = types
      .flatMap((type) => byType.get(type) ?? [])
      .filter((resource) => !context.printed.has(resource))
    types.forEach((type) => byType.delete(type))
    if (resources.length === 0) continue
    context.sheet.heading(title)
    printGroups(context, resources)
  }
  for (const [type, resources] of byType) {
    context.sheet.heading(type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' '))
    for (const resource of resources.filter(isLeft)) printOther(context, resource)
  }
}

/** Rows of one kind go in one table; what was printed comes back as text. */
function printGroups(context: Context, resources: readonly Json[]): string {
  const rows: DataRow[] = []
  const others: Json[] = []
  for (const resource of resources) {
    if (context.printed.has(resource)) continue
    const reader = context.readers.get(typeOf(resource))
    context.printed.add(resource)
    if (reader === undefined) others.push(resource)
    else rows.push(...rowsOf(context, reader, resource))
  }
  for (const ofType of Map.groupBy(rows, ({ fact }) => fact.type).values()) {
    const shown = ofType.filter(({ fact }) => fact.text !== '')
    context.sheet.rows(shown)
  }
  for (const resource of others) {
    if (typeOf(resource) === 'DiagnosticReport') printReport(context, resource)
    else if (!notPrinted.has(typeOf(resource))) printOther(context, resource)
  }
  return resources.length === 0 ? '' : JSON.stringify(rows) + JSON.stringify(others)
}

function rowsOf(context: Context, reader: ReadResource, resource: Json): DataRow[] {
  const subject = context.subjectOf(resource)
  const rows = reader(resource, (pointer) => context.words(pointer, resource))
  if (subject === null) return rows
  return rows.map((row) => ({ ...row, fact: { ...row.fact, detail: { ...row.fact.detail, subject } } }))
}

const unsaid = new Set(
  'resourceType id meta text contained extension modifierExtension implicitRules language identifier subject patient'.split(
    ' ',
  ),
)

function printOther({ sheet }: Context, resource: Json): void {
  const fields = Object.entries(resource)
    .filter(([name]) => !unsaid.has(name))
    .map(([name, value]) => [name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase(), wordsOfAny(value)] as const)
    .filter(([, value]) => value !== '')
  const narrative = narrativeOf(at(resource, 'text'))
  for (const [name, value] of fields) sheet.field(name.slice(0, 1).toUpperCase() + name.slice(1), value)
  if (saysMore(at(resource, 'text'), narrative, JSON.stringify(fields)))
    narrative.forEach((block) => sheet.block(asData(block)))
  sheet.remark(' ')
}
