import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { test } from 'tap'
import { consequences } from '../../../../worker/pipeline/scan/findings.ts'
import type { Inspection } from '../../../../worker/pipeline/scan/inspection.ts'
import { inspectImage } from '../../../../worker/pipeline/scan/inspect-image.ts'
import { inspectPdf } from '../../../../worker/pipeline/scan/inspect-pdf.ts'
import { inspectJson, inspectPlainText, inspectRtf, inspectXml } from '../../../../worker/pipeline/scan/inspect-text.ts'
import { inspectWordFile } from '../../../../worker/pipeline/scan/inspect-word-file.ts'
import { scanFile } from '../../../../worker/pipeline/scan/scan-file.ts'
import { createMalwareScan } from '../../../../worker/providers/malware/index.ts'
import { sniffMimeType } from '../../../../platform/sniff.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import { zipOf } from '../../../support/zip.ts'

// What the child process does, done here: its limits are tested in scan-file.test.ts and child.test.ts.
const task = (mimeType: string) => ({ path: '', mimeType, maxPages: 500, maxPixels: 100e6 })
const page = [{ text: 'Haemoglobin 131 g/L', x: 72, y: 700 }]
type Parts = { catalogue?: string; objects?: Record<number, string> }
const pdf = (parts: Parts = {}) => pdfOfLines([page], parts)
const inPdf = async (parts: Parts) => (await inspectPdf(pdf(parts), task('application/pdf'))).findings
const onOpening = (action: string) => inPdf({ catalogue: '/OpenAction 100 0 R', objects: { 100: action } })
const stream = (dictionary: string, bytes: Buffer) =>
  `<< ${dictionary} /Length ${bytes.length} >>\nstream\n${bytes.toString('latin1')}\nendstream`

test('what a PDF does by itself is found, what a person has to click is not', async (t) => {
  t.same(await onOpening('<< /S /URI /URI (http://tracker.example/) >>'), ['remote_content'])
  t.same(await inPdf({ objects: { 100: '<< /S /URI /URI (http://lab.example/) >>' } }), [], 'a link')
  t.same(await onOpening('<< /S /GoTo /D [3 0 R /Fit] >>'), [], 'a view')
  t.same(await onOpening('<< /S /SubmitForm /F (http://x.example) >>'), ['sends_form'])
  t.same(await onOpening('<< /S /GoToR /F (other.pdf) >>'), ['other_file'])
  t.same(await inPdf({ objects: { 100: '<< /Type /ExtGState /BM /Screen >>' } }), [], 'a way to blend colours')
  const signed = '<< /FT /Sig /V << /Type /Sig /Filter /Adobe.PPKLite /Contents <00> >> >>'
  t.same(await inPdf({ catalogue: '/AcroForm << /Fields [100 0 R] >>', objects: { 100: signed } }), [], 'a signature')
})

test('attachments are told from programs, however they are named', async (t) => {
  const attached = (name: string, bytes: Buffer, filter = '') =>
    inPdf({
      objects: {
        100: `<< /Type /Filespec /UF ${name} /EF << /F 101 0 R >> >>`,
        101: stream(`/Type /EmbeddedFile ${filter}`, bytes),
      },
    })
  t.same(await attached('(cda.xml)', Buffer.from('<ClinicalDocument/>')), ['attachment'])
  const wide = Buffer.from('report.exe', 'utf16le').swap16().toString('hex')
  t.same(await attached(`<FEFF${wide}>`, Buffer.from('x')), ['executable_attachment'])
  const program = deflateSync(Buffer.from('MZ\x90\0', 'latin1'))
  t.same(await attached('(report.dat)', program, '/Filter /FlateDecode'), ['executable_attachment'])
})

test('bombs are known by what they unpack to, a white page by the size that it names', async (t) => {
  const nothing = deflateSync(Buffer.alloc(300e6))
  const packed = (dictionary: string, bytes: Buffer) => inPdf({ objects: { 100: stream(dictionary, bytes) } })
  t.ok((await packed('/Filter /FlateDecode', nothing)).includes('bomb'))
  t.ok((await packed('/Filter /FlateDecode', nothing.subarray(0, -100))).includes('bomb'), 'cut off')
  t.ok((await packed('/Filter [/FlateDecode /FlateDecode]', deflateSync(nothing))).includes('bomb'), 'packed twice')
  t.ok(
    (await packed('/Filter [/AHx /Fl]', Buffer.from(nothing.toString('hex')))).includes('bomb'),
    'written in hexadecimal',
  )
  const size = '/Subtype /Image /Width 4960 /Height 7016 /BitsPerComponent 8 /ColorSpace /DeviceRGB'
  t.same(await packed(`${size} /Filter /FlateDecode`, deflateSync(Buffer.alloc(4960 * 7016 * 3, 255))), [])
})

test('what is hidden behind encryption or packing that opens without a password is seen', async (t) => {
  // AES-256, empty user password, everything in an object stream; written with qpdf from a PDF with a script.
  const locked = Buffer.from(lockedScript, 'base64')
  t.notOk(/JavaScript/.test(locked.toString('latin1')))
  t.match(await inspectPdf(locked, task('application/pdf')), { pageCount: 1, findings: ['script'] })
})

test('a file that is two things at once is marked, a program is not taken', async (t) => {
  const whole = pdf()
  const findings = async (bytes: Buffer) => (await inspectPdf(bytes, task('application/pdf'))).findings
  const html = Buffer.from('<html><script>alert(1)</script>')
  t.ok((await findings(Buffer.concat([html, whole]))).includes('polyglot'))
  t.ok((await findings(Buffer.concat([whole, html]))).includes('polyglot'))
  t.ok((await findings(Buffer.concat([whole, zipOf({ 'a.js': 'x' })]))).includes('polyglot'))
  t.ok((await findings(Buffer.concat([Buffer.from('GIF89a'), whole]))).includes('polyglot'))
  t.same(await inPdf({ objects: { 101: stream('/Type /EmbeddedFile', Buffer.from(zipOf({ a: 'x' }))) } }), [
    'attachment',
  ])
  for (const program of ['MZ\x90\0', '\x7fELF\x02']) {
    t.equal(sniffMimeType(Buffer.concat([Buffer.from(program, 'latin1'), whole])), null)
  }
  t.equal(sniffMimeType(Buffer.from('MZ was seen in the clinic today.')), 'text/plain')
  for (const markup of ['<!-- hi --><html>', '<svg xmlns="http://www.w3.org/2000/svg"/>', '<body>'])
    t.equal(sniffMimeType(Buffer.from(markup)), null, markup)
  t.equal(sniffMimeType(Buffer.from('<5 mmol/L is low')), 'text/plain')
})

test('pictures: what phones put behind them is theirs, documents and pages are not', async (t) => {
  const noise = Buffer.from(Array.from({ length: 120 * 90 * 3 }, (_, index) => (index * 7919) % 251))
  const picture = () => sharp(noise, { raw: { width: 120, height: 90, channels: 3 } })
  const film = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42', 'latin1'), Buffer.alloc(90_000, 3)])
  const document = Buffer.concat([pdf(), Buffer.alloc(100_000, 32)])
  for (const type of ['jpeg', 'png', 'webp', 'tiff'] as const) {
    const bytes = await picture()[type]().toBuffer()
    const findings = async (...tail: Buffer[]) =>
      (await inspectImage(Buffer.concat([bytes, ...tail]), task(`image/${type}`))).findings
    t.same(await findings(film), [], type)
    t.same(await findings(document), ['polyglot'], type)
    t.same(await findings(Buffer.from('<script>alert(1)</script>')), ['polyglot'], type)
  }
})

test('a TIFF whose pages run in a circle, or hide a giant, comes to an end', async (t) => {
  const inspect = (bytes: Buffer) => inspectImage(bytes, task('image/tiff'))
  t.match(await inspect(tiff([20, 20, 20])), { pageCount: 3, findings: [] })
  t.match(await inspect(tiff([20, 60_000])), { findings: ['too_many_pixels'] })
  t.match(await inspect(tiff([20, 20], 0)), { findings: ['damaged'] })
  t.match(await inspect(tiff(Array.from({ length: 600 }, () => 20))), { findings: ['too_many_pages'] })
})

test('Word fields are read whole, substances named DDE are none', (t) => {
  const body = (xml: string, more = {}) =>
    inspectWordFile(Buffer.from(zipOf({ '[Content_Types].xml': '<Types/>', 'word/document.xml': xml, ...more })))
      .findings
  t.same(body('<w:p><w:t>p,p-DDE level 3 ng/mL</w:t></w:p>'), [])
  t.same(body('<w:instrText>DD</w:instrText><w:instrText xml:space="preserve">EAUTO cmd</w:instrText>'), [
    'remote_content',
  ])
  const chunk = { 'word/_rels/document.xml.rels': `<Relationship Type='x/relationships/aFChunk' Target='a.mht'/>` }
  t.same(body('<w:p/>', chunk), ['embedded_object'])
  t.same(inspectRtf(Buffer.from('{\\rtf1 DDE was not found}\0')).findings, [])
  t.same(inspectRtf(Buffer.from('{\\rtf1 {\\field{\\*\\fldinst DDEAUTO cmd }}}')).findings, ['remote_content'])
  t.same(inspectRtf(Buffer.from(`{\\rtf1 ${'{'.repeat(9000)}${'}'.repeat(9001)}`)).findings, ['too_deep'])
  t.end()
})

test('no encoding hides what a text holds', (t) => {
  const wide = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
  const cda = '<ClinicalDocument xmlns="urn:hl7-org:v3"/>'
  const first = ({ findings }: Inspection) => findings[0] ?? 'nothing'
  t.equal(first(inspectXml(wide(`<!DOCTYPE x [<!ENTITY a "b">]>${cda}`))), 'entities')
  t.equal(
    first(inspectXml(Buffer.from(`\ufeff<!-- <!DOCTYPE --><ClinicalDocument><![CDATA[<!ENTITY]]></ClinicalDocument>`))),
    'nothing',
  )
  t.equal(first(inspectJson(Buffer.from('\ufeff{"resourceType":"Patient"}'))), 'nothing')
  t.equal(first(inspectPlainText(Buffer.alloc(3_000_000, 'x'))), 'nothing', 'one line of three million letters')
  const virus = ['X5O!P%@AP[4', '\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-', 'ANTIVIRUS-TEST-', 'FILE!$H+H*'].join('')
  for (const before of ['', 'a', 'ab']) {
    const packed = Buffer.from(`${before}${virus}...`).toString('base64')
    t.equal(first(inspectXml(Buffer.from(`<ClinicalDocument><text>${packed}</text></ClinicalDocument>`))), 'infected')
    t.equal(first(inspectJson(Buffer.from(JSON.stringify({ resourceType: 'Binary', data: packed })))), 'infected')
  }
  t.end()
})

test('a name that promises another type is told, and every sentence can be read by a patient', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'exora-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'file')
  await writeFile(path, pdf())
  const scan = (filename: string) =>
    scanFile(
      { path, declaredMimeType: '', filename },
      { malware: createMalwareScan(), signal: AbortSignal.timeout(60_000) },
    )
  t.match(await scan('письмо.PDF'), { verdict: 'clean' })
  t.match(await scan('scan.jpg'), { verdict: 'marked', findings: ['type_mismatch'] })
  for (const { reason } of Object.values(consequences))
    t.match(reason, /^[A-Z][\w ,:;'’()-]+\.( [A-Z][\w ,:;'’()-]+\.)*$/)
})

/** Grey pages of these sides; the last leads to the page of that number instead of ending. */
function tiff(sides: readonly number[], back?: number): Buffer {
  const [first, tags] = [408, 9]
  const size = 2 + tags * 12 + 4
  const head = Buffer.alloc(first)
  head.write('II*\0', 0, 'latin1')
  head.writeUInt32LE(first, 4)
  const pages = sides.map((side, index) => {
    const next = index < sides.length - 1 ? index + 1 : back
    const directory = Buffer.alloc(size)
    directory.writeUInt16LE(tags, 0)
    const entries = [
      [256, side],
      [257, side],
      [258, 8],
      [259, 1],
      [262, 1],
      [273, 8],
      [277, 1],
      [278, side],
      [279, side * side],
    ]
    for (const [at, [tag = 0, value = 0]] of entries.entries()) {
      directory.writeUInt16LE(tag, 2 + at * 12)
      directory.writeUInt16LE(4, 4 + at * 12)
      directory.writeUInt32LE(1, 6 + at * 12)
      directory.writeUInt32LE(value >>> 0, 10 + at * 12)
    }
    directory.writeUInt32LE(next === undefined ? 0 : first + next * size, size - 4)
    return directory
  })
  return Buffer.concat([head, ...pages])
}

const lockedScript =
  'JVBERi0xLjcKJb/3ov4KMSAwIG9iago8PCAvRXh0ZW5zaW9ucyA8PCAvQURCRSA8PCAvQmFzZVZlcnNpb24gLzEuNyAvRXh0ZW5zaW9uTGV2ZWwgOCA+PiA+PiAvT3BlbkFjdGlvbiA3IDAgUiAvUGFnZXMgMyAwIFIgL1R5cGUgL0NhdGFsb2cgPj4KZW5kb2JqCjIgMCBvYmoKPDwgL1R5cGUgL09ialN0bSAvTGVuZ3RoIDI1NiAvRmlsdGVyIC9GbGF0ZURlY29kZSAvTiA1IC9GaXJzdCAyNyA+PgpzdHJlYW0KWfpWwNYB7ZwurT9n2/X/El72Ed4cUw8Xi0xixGN3rBful43LpF8ralyKAwtSuK3UU8dm9xjqfvuiah4csaTllLjnaEFidtCRuSLeK2PZU7KjZnUKHzOuqdWcszkV6VOiqBJdjoTCbMVhGnr0nfdeAWugWm1OpxsTZVjzVJ32j5uML302NOCrS1tm2DRTxxKp2fj8cO+DnHucxOCFqq5iYcbvLaMxxveVQF08kqrZkZpje++5rYQWqZLoQnD9DE6lhvAm+sesut5SfYV2HlLLc4r4eJMJb3jLLoYF+zl/TKfJuPfpoUfR5I6hDU4t4gAYJB8bnhFsdST+JezHZ5riDWVuZHN0cmVhbQplbmRvYmoKOCAwIG9iago8PCAvTGVuZ3RoIDgwIC9GaWx0ZXIgL0ZsYXRlRGVjb2RlID4+CnN0cmVhbQpRN1vQg1wEwyJosR1vqi3cfIC4bovUEVXAlTppIRq02r6DWouB6tTh5T7tQ6aW8a0BLDshy23Y8+MfhSgrKpqTwy2KgQo0V02Lqub4wVn8nGVuZHN0cmVhbQplbmRvYmoKOSAwIG9iago8PCAvQ0YgPDwgL1N0ZENGIDw8IC9BdXRoRXZlbnQgL0RvY09wZW4gL0NGTSAvQUVTVjMgL0xlbmd0aCAzMiA+PiA+PiAvRmlsdGVyIC9TdGFuZGFyZCAvTGVuZ3RoIDI1NiAvTyA8ZDQ4MWQyZDA3NDRhN2E1YWE5MTM0Y2EwN2UwOTM3MDRkZjI5NDc4ZDc3MTllYzJlMTdkYTY4ODMxMjExOTU5MDRiNTQyYzM4ZDg4ZjVhMGUyNWJhOGIyNWE4MGU2ODM5PiAvT0UgPDJmYjgwNThmM2RiNTc3YWMwYTFmYjg5ZmJmMWY4NDk5MTUxNjBjMzM2ZjQ3NzUzNTAyMDYyNjg5ZmQ3MDIxZGQ+IC9QIC00IC9QZXJtcyA8Y2RlOTgzZDIxMmZkNjI1MTE5ZGI3YmM1NGI4NGY1NjM+IC9SIDYgL1N0bUYgL1N0ZENGIC9TdHJGIC9TdGRDRiAvVSA8ZmU0ZTAxYzg2ZjIzMTAxMDFhZjhjNDljOWM0OTM4MzkxODg1YzcwYmU0MTc2MGNkODRkNzVjYWI1Y2MwY2Y5YzkyOWM0NDA0NDdmMDBmZGZmZmVkYjhkNDMzN2UzODIzPiAvVUUgPDdhODU0YjQzNDg4N2E4OTVhNWNjMTkwYmU1YjE1MThlN2NjMWVlZWMwZGRiMzc1ZDdlYjNlYzc3YjMxNmEzZmM+IC9WIDUgPj4KZW5kb2JqCjEwIDAgb2JqCjw8IC9UeXBlIC9YUmVmIC9MZW5ndGggNDIgL0ZpbHRlciAvRmxhdGVEZWNvZGUgL0RlY29kZVBhcm1zIDw8IC9Db2x1bW5zIDQgL1ByZWRpY3RvciAxMiA+PiAvVyBbIDEgMiAxIF0gL1Jvb3QgMSAwIFIgL1NpemUgMTEgL0lEIFs8NzJkN2UwMjVjMDk3NGFkNDAxOTAwZGJhMjRlMzVhNmI+PDcyZDdlMDI1YzA5NzRhZDQwMTkwMGRiYTI0ZTM1YTZiPl0gL0VuY3J5cHQgOSAwIFIgPj4Kc3RyZWFtCnicY2IAAiZGBn4GJgaGVhArD8RiYEQn/jN++8PEwDgNKMukzAAAVMMEzQplbmRzdHJlYW0KZW5kb2JqCnN0YXJ0eHJlZgoxMjAxCiUlRU9GCg=='
