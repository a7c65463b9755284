/** Reports of FHIR: what was examined, what was concluded, and the report itself where it came along. */
import { asData } from '../flow.ts'
import { decodeText } from '../plain-text.ts'
import { readHtml } from '../html-blocks.ts'
import { isoDate } from '../stated-fact.ts'
import { at, isJson, listAt, textAt, type Json } from './json.ts'
import { narrativeOf, saysMore } from './narrative.ts'
import type { Context } from './read-fhir.ts'
import { wordsOfAll, wordsOfConcept } from './values.ts'

export function printReport(context: Context, report: Json): void {
  const { sheet, words } = context
  sheet.heading(wordsOfConcept(at(report, 'code')) || 'Report')
  sheet.field('Date', isoDate(textAt(report, 'effectiveDateTime')) ?? isoDate(textAt(report, 'issued')) ?? '')
  const status = textAt(report, 'status')
  sheet.field('Status', status === 'final' ? '' : status)
  sheet.field(
    'By',
    listAt(report, 'performer')
      .map((each) => words(each, report))
      .filter(Boolean)
      .join(', '),
  )
  const narrative = narrativeOf(at(report, 'text'))
  // What is said of another person, or was taken back, stays unread by the rules.
  const isRunning = context.subjectOf(report) === null && status !== 'entered-in-error' && status !== 'cancelled'
  const say = (text: string) => (isRunning ? sheet.text(text) : sheet.remark(text))
  // Its results are printed as rows; what was made from them says them again.
  const hasResults = listAt(report, 'result').length > 0 || textAt(report, 'text', 'status') === 'generated'
  if (!hasResults || saysMore(at(report, 'text'), narrative, JSON.stringify(report)))
    narrative.forEach((block) => sheet.block(isRunning ? block : asData(block)))
  const conclusion = textAt(report, 'conclusion')
  if (conclusion !== '') {
    sheet.heading('Conclusion')
    say(conclusion)
  }
  sheet.field('Conclusion codes', wordsOfAll(listAt(report, 'conclusionCode')))
  for (const form of listAt(report, 'presentedForm')) printForm(context, form, say)
}

export function printForm({ sheet, library }: Context, form: unknown, say: (text: string) => void): void {
  const type = textAt(form, 'contentType').split(';')[0]?.trim().toLowerCase() ?? ''
  const binary = library.resources.find(
    (each) => isJson(each) && textAt(each, 'id') !== '' && textAt(form, 'url').endsWith(`Binary/${textAt(each, 'id')}`),
  )
  const data = textAt(form, 'data') || textAt(binary, 'data')
  sheet.field(
    'Attached',
    [textAt(form, 'title'), type, data === '' ? 'not in this file' : ''].filter(Boolean).join(', '),
  )
  if (data === '') return
  const bytes = Buffer.from(data, 'base64')
  if (type === 'text/plain' || type === '') say(decodeText(bytes))
  else if (type.includes('html')) for (const block of readHtml(decodeText(bytes))) sheet.block(block)
  else if (attachable.has(type)) sheet.attach({ mimeType: type, bytes })
}

const attachable = new Set(['application/pdf', 'image/jpeg', 'image/png', 'image/tiff', 'image/webp'])
