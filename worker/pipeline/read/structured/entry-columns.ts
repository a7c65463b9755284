/** The columns in which entries of one kind are printed; those that no row fills are left out. */
import type { FactType, SpanRole } from '../../../../clinical/document/found-fact.ts'
import type { DataRow } from './data-sheet.ts'

export type EntryColumn = {
  readonly title: string
  readonly role: SpanRole | null
  readonly print: (row: DataRow) => string
}

export function columnsOf(rows: readonly DataRow[]): EntryColumn[] {
  const [first] = rows
  if (first === undefined) return []
  const [name, ...others] = columnsByType[first.fact.type]
  return [name, ...[...others, note, codes].filter(({ print }) => rows.some((row) => print(row).trim() !== ''))]
}

const column = (title: string, role: SpanRole | null, print: EntryColumn['print']): EntryColumn => ({
  title,
  role,
  print,
})
const named = (title: string) => column(title, 'name', ({ fact }) => fact.text)
const dated = (title: string) => column(title, 'date', ({ fact }) => fact.date?.printed ?? '')
const detail = (title: string, key: DetailKey) => column(title, 'detail', ({ fact }) => fact.detail[key] ?? '')
type DetailKey =
  | 'severity'
  | 'reaction'
  | 'bodySite'
  | 'dose'
  | 'route'
  | 'frequency'
  | 'duration'
  | 'indication'
  | 'prescriber'
  | 'doseNumber'
  | 'batch'
  | 'site'
  | 'manufacturer'
  | 'relationship'
  | 'provider'
  | 'facility'
  | 'endDate'
  | 'specimen'

const status = column('Status', 'cue', ({ statusWords }) => statusWords)
const note = column('Note', null, (row) => row.note)
const value = (title: string) => column(title, 'value', ({ fact }) => fact.value ?? '')
const unit = column('Unit', 'unit', ({ fact }) => fact.unit ?? '')
const codes = column('Code', null, ({ fact }) =>
  (fact.detail.codes ?? []).map(({ system, code }) => `${shortSystem(system)} ${code}`).join(', '),
)

const shortSystem = (system: string) => system.split(/[/:]/).findLast((part) => part !== '') ?? system

type Columns = readonly [EntryColumn, ...EntryColumn[]]

const measured = (title: string): Columns => [
  named(title),
  value('Result'),
  unit,
  column('Reference range', 'reference_range', ({ fact }) => fact.referenceRange ?? ''),
  column('Flag', 'detail', ({ fact }) => fact.detail.flag ?? ''),
  dated('Date'),
  detail('Specimen', 'specimen'),
  status,
]
const problem: Columns = [
  named('Condition'),
  status,
  dated('Onset'),
  detail('Ended', 'endDate'),
  detail('Severity', 'severity'),
  detail('Body site', 'bodySite'),
]

const columnsByType: { readonly [Type in FactType]: Columns } = {
  condition: problem,
  symptom: problem,
  allergy: [named('Allergy'), status, detail('Reaction', 'reaction'), detail('Severity', 'severity'), dated('Date')],
  medication: [
    named('Medicine'),
    value('Strength'),
    unit,
    detail('Dose', 'dose'),
    detail('Route', 'route'),
    detail('Frequency', 'frequency'),
    detail('Duration', 'duration'),
    detail('For', 'indication'),
    status,
    dated('Date'),
    detail('Ended', 'endDate'),
    detail('Prescriber', 'prescriber'),
  ],
  immunization: [
    named('Vaccine'),
    dated('Date given'),
    detail('Dose', 'doseNumber'),
    detail('Batch', 'batch'),
    detail('Site', 'site'),
    detail('Route', 'route'),
    detail('Manufacturer', 'manufacturer'),
    detail('Given by', 'provider'),
    status,
  ],
  procedure: [named('Procedure'), dated('Date'), detail('Body site', 'bodySite'), detail('By', 'provider'), status],
  lab_result: measured('Test'),
  vital_sign: measured('Measurement'),
  physical_finding: measured('Finding'),
  imaging_result: measured('Examination'),
  family_history: [named('Condition'), detail('Relative', 'relationship'), dated('Date'), status],
  social_history: [named('Topic'), value('Answer'), unit, dated('Date'), status],
  encounter: [
    named('Visit'),
    dated('Date'),
    detail('Until', 'endDate'),
    detail('With', 'provider'),
    detail('Where', 'facility'),
    status,
  ],
  identity: [named('Person')],
}
