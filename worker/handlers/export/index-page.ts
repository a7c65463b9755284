import { z } from 'zod'
import { handBackOf } from '../../../db/queries/hand-back.ts'
import { recordSections } from '../../../db/queries/record-sections.ts'
import type { RecordSection } from '../../../db/queries/record-sections.ts'
import { stageStatuses } from '../../../db/schema/documents.ts'
import type { ExportMade } from './archive-entries.ts'
import { originalName } from './original-name.ts'
import { rowsOf } from './record-lines.ts'
import type { Read } from './record-lines.ts'

type Row = Readonly<Record<string, unknown>>
type Column = { readonly title: string; readonly cell: (row: Row) => string }
type Part = { readonly title: string; readonly section: string; readonly columns: readonly Column[] }

/** A page that anybody can read with what is on any machine: no script, nothing from elsewhere. */
export async function* indexPage(made: ExportMade, read: Read): AsyncGenerator<string> {
  yield head(made)
  for (const part of parts) {
    yield `<h2>${escaped(part.title)}</h2>\n<table>\n<tr>`
    yield `${part.columns.map(({ title }) => `<th>${escaped(title)}</th>`).join('')}</tr>\n`
    for await (const json of rowsOf(sectionOf(part), made.patientId, read)) {
      const row = rowShape.parse(JSON.parse(json))
      yield `<tr>${part.columns.map(({ cell }) => `<td>${cell(row)}</td>`).join('')}</tr>\n`
    }
    yield '</table>\n'
  }
  yield '</body>\n</html>\n'
}

const rowShape = z.record(z.string(), z.unknown())
const stageError = z.object({ code: z.string(), message: z.string() })

/** The value at a path of names, as text. */
const text = (title: string, path: string): Column => ({
  title,
  cell: (row) => escaped(worded(path.split('.').reduce<unknown>(inside, row))),
})

const inside = (value: unknown, name: string): unknown => rowShape.safeParse(value).data?.[name]

function worded(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const documentFields = z.object({
  id: z.string(),
  filename: z.string(),
  stages: z
    .array(
      z.object({
        stage: z.string(),
        status: z.enum(stageStatuses),
        error: stageError.nullable(),
        outcome: z.object({ scan: z.object({ malware: z.string().nullable() }).optional() }).nullable(),
      }),
    )
    .nullable(),
})
const storyFields = z.object({ sentences: z.array(z.object({ sentence: z.string() })).nullable() })

const originalLink: Column = {
  title: 'File',
  cell: (row) => {
    const document = documentFields.parse(row)
    const scan = document.stages?.find(({ stage }) => stage === 'security_scan')
    const isUnscanned = scan?.outcome?.scan?.malware === 'unscanned'
    if (handBackOf(scan && { ...scan, isUnscanned }) !== 'allowed') return escaped(document.filename)
    const path = originalName(document).split('/').map(encodeURIComponent).join('/')
    return `<a href="originals/${escaped(path)}">${escaped(document.filename)}</a>`
  },
}

const sentences: Column = {
  title: 'Story',
  cell: (row) => escaped((storyFields.parse(row).sentences ?? []).map(({ sentence }) => sentence).join(' ')),
}

const parts: readonly Part[] = [
  {
    title: 'Person',
    section: 'profile',
    columns: [text('Name', 'full_name'), text('Shown as', 'display_name'), text('Born', 'date_of_birth')],
  },
  {
    title: 'Documents',
    section: 'documents',
    columns: [
      originalLink,
      text('Kind', 'document_class'),
      text('Date', 'document_date'),
      text('Pages', 'page_count'),
      text('State', 'status'),
      text('Uploaded', 'created_at'),
      text('By', 'uploaded_by'),
      text('Note', 'note'),
    ],
  },
  {
    title: 'Record',
    section: 'clinical-events',
    columns: [
      text('Date', 'event_date'),
      text('Kind', 'event_type'),
      text('What', 'in_short.name'),
      text('Value', 'in_short.value'),
      text('Unit', 'in_short.unit'),
      text('Status', 'in_short.status'),
      text('Said as', 'assertion'),
      text('Document', 'shell_file_id'),
    ],
  },
  {
    title: 'Visits',
    section: 'encounters',
    columns: [text('From', 'start_date'), text('What', 'name'), text('By', 'provider'), text('At', 'facility')],
  },
  { title: 'Stories', section: 'narratives', columns: [text('About', 'title'), sentences] },
  {
    title: 'Consents',
    section: 'consents',
    columns: [text('When', 'decided_at'), text('For', 'purpose'), text('Decision', 'decision'), text('As', 'capacity')],
  },
  {
    title: 'Who may see the record',
    section: 'access-grants',
    columns: [
      text('Who', 'account_id'),
      text('Level', 'permission_level'),
      text('From', 'starts_at'),
      text('Until', 'ends_at'),
      text('Taken back', 'revoked_at'),
    ],
  },
  {
    title: 'Clinicians',
    section: 'clinicians',
    columns: [
      text('Who', 'clinician.name'),
      text('Profession', 'clinician.profession'),
      text('For', 'purpose'),
      text('State', 'status'),
      text('From', 'starts_at'),
      text('Until', 'ends_at'),
    ],
  },
  {
    title: 'Emergency access',
    section: 'emergency-access',
    columns: [
      text('Who', 'account_id'),
      text('Name', 'clinician.name'),
      text('Why', 'reason'),
      text('From', 'starts_at'),
      text('Until', 'ends_at'),
    ],
  },
  {
    title: 'What happened to the record, and through whom',
    section: 'access-log',
    columns: [
      text('When', 'changed_at'),
      text('Who', 'changed_by'),
      text('Name', 'clinician.name'),
      text('What', 'operation'),
      text('Where', 'table_name'),
      text('Why', 'reason'),
    ],
  },
]

function sectionOf(part: Part): RecordSection {
  const section = recordSections.find(({ name }) => name === part.section)
  if (section === undefined) throw new Error(`an export has no section ${part.section}`)
  return section
}

const head = (made: ExportMade) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Exora: everything that we keep of you</title>
<style>
body { font: 16px/1.5 sans-serif; margin: 2rem; }
table { border-collapse: collapse; margin-bottom: 2rem; }
th, td { border: 1px solid #bbb; padding: 0.2rem 0.6rem; text-align: left; vertical-align: top; }
</style>
</head>
<body>
<h1>Everything that we keep of you</h1>
<p>Made on ${escaped(made.exportedAt.toISOString())}. The files as they were uploaded are in <code>originals</code>; every
row that is kept is in <code>record</code>, one JSON object a line; <code>manifest.json</code> lists every file with its
SHA-256, and what had to be left out.</p>
`

function escaped(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
