import { mkdtemp, readdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateRawSync, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { test } from 'tap'
import { scanFile } from '../../../../worker/pipeline/scan/scan-file.ts'
import type { ScanLimits, ScanVerdict } from '../../../../worker/pipeline/scan/scan-file.ts'
import { createMalwareScan } from '../../../../worker/providers/malware/index.ts'
import { pdfOfLines } from '../../../support/pdf.ts'
import { sample } from '../../../support/samples.ts'
import { zipOf } from '../../../support/zip.ts'

const folder = await mkdtemp(join(tmpdir(), 'exora-test-'))
const options = { malware: createMalwareScan(), signal: new AbortController().signal }
let files = 0

async function scan(
  bytes: Uint8Array | string,
  declaredMimeType = '',
  limits: Partial<ScanLimits> = {},
): Promise<ScanVerdict> {
  const path = join(folder, String(files++))
  await writeFile(path, bytes)
  return scanFile({ path, declaredMimeType }, { ...options, limits })
}

const page = [{ text: 'Haemoglobin 131 g/L', x: 72, y: 700 }]
const wordType = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'
const wordParts = {
  '[Content_Types].xml': '<Types/>',
  'word/document.xml': '<w:document><w:body><w:p><w:r><w:t>Hello</w:t></w:r></w:p></w:body></w:document>',
}

void test('ordinary documents are clean, with their pages counted', async (t) => {
  const names = (await readdir(sample('.'))).filter((name) => /\.(pdf|jpg)$/.test(name))
  t.ok(names.length > 5)
  for (const name of names) {
    const verdict = await scanFile({ path: sample(name), declaredMimeType: '' }, options)
    t.same([verdict.verdict, verdict.findings], ['clean', []], name)
    t.ok((verdict.pageCount ?? 0) >= 1)
  }
})

void test('a file without bytes is refused as empty', async (t) => {
  t.match(await scan(''), { verdict: 'rejected', code: 'file_empty', reason: /empty/ })
})

void test('the type is what the bytes say: a wrong label is noted, an unknown type refused', async (t) => {
  const jpeg = await sharp({ create: { width: 50, height: 50, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
  t.match(await scan(jpeg, 'application/pdf'), {
    verdict: 'marked',
    mimeType: 'image/jpeg',
    findings: ['type_mismatch'],
  })
  t.match(await scan(jpeg, 'image/jpg'), { verdict: 'clean' })
  t.match(await scan('MZ\x90\0\x03\0\0\0\x04\0', 'application/pdf'), {
    verdict: 'rejected',
    code: 'unsupported_file_type',
  })
  t.match(await scan('<html><script>1</script></html>', 'application/pdf'), { verdict: 'rejected' })
})

void test('a PDF behind a little junk is taken', async (t) => {
  t.match(await scan(Buffer.concat([Buffer.from('junk\n'.repeat(20)), pdfOfLines([page])])), {
    verdict: 'clean',
    pageCount: 1,
  })
})

void test('a PDF that is cut off or has no pages is refused with a reason', async (t) => {
  const whole = pdfOfLines([page])
  t.match(await scan(whole.subarray(0, 150)), { verdict: 'rejected', code: 'file_corrupt' })
  t.match(await scan(pdfOfLines([])), { verdict: 'rejected', code: 'file_corrupt', findings: ['no_pages'] })
})

void test('scripts, launches and attachments are found, also under names written in hexadecimal', async (t) => {
  const withAction = (action: string) =>
    scan(pdfOfLines([page], { catalogue: '/OpenAction 100 0 R', objects: { 100: action } }))
  t.match(await withAction('<< /S /JavaScript /JS (app.alert\\(1\\)) >>'), { verdict: 'marked', findings: ['script'] })
  t.match(await withAction('<< /S /J#61vaScript /#4aS (app.alert\\(1\\)) >>'), { findings: ['script'] })
  t.match(await withAction('<< /S /Launch /F (cmd.exe) >>'), { findings: ['launch'] })
  const attached = await withAction('<< /Type /Filespec /F (tool.exe) >>')
  t.same(attached.findings, ['executable_attachment'])
})

void test('a script inside a packed object stream is found', async (t) => {
  const packed = deflateSync('100 0 << /S /JavaScript /JS (app.alert(1)) >>').toString('latin1')
  const stream = `<< /Type /ObjStm /N 1 /First 6 /Filter /FlateDecode /Length ${packed.length} >>\nstream\n${packed}\nendstream`
  const verdict = await scan(pdfOfLines([page], { objects: { 101: stream } }))
  t.ok(verdict.findings.includes('script'))
})

void test('what unpacks a thousandfold is refused before anything renders it', async (t) => {
  const packed = deflateSync(Buffer.alloc(90_000_000)).toString('latin1')
  const stream = `<< /Filter /FlateDecode /Length ${packed.length} >>\nstream\n${packed}\nendstream`
  t.match(await scan(pdfOfLines([page], { objects: { 101: stream } })), { verdict: 'rejected', code: 'file_too_large' })

  const bomb = zipOf({ ...wordParts, 'word/styles.xml': ' '.repeat(30_000_000) })
  t.match(await scan(bomb, wordType), { verdict: 'rejected', code: 'file_too_large' })
})

void test('more pages than allowed are refused', async (t) => {
  const pages = Array.from({ length: 6 }, () => page)
  t.match(await scan(pdfOfLines(pages), '', { maxPages: 5 }), {
    verdict: 'rejected',
    code: 'too_many_pages',
    pageCount: 6,
  })
  t.match(await scan(pdfOfLines(pages), '', { maxPages: 6 }), { verdict: 'clean', pageCount: 6 })
})

void test('pictures with too many pixels are refused by their header, damaged ones are marked', async (t) => {
  const png = await sharp({ create: { width: 400, height: 300, channels: 3, background: 'white' } })
    .png()
    .toBuffer()
  t.match(await scan(png, '', { maxPixels: 400 * 300 - 1 }), { verdict: 'rejected', code: 'file_too_large' })
  const noise = Buffer.from(Array.from({ length: 300 * 300 * 3 }, (_, index) => (index * 7919) % 251))
  const jpeg = await sharp(noise, { raw: { width: 300, height: 300, channels: 3 } })
    .jpeg()
    .toBuffer()
  t.match(await scan(jpeg.subarray(0, jpeg.length / 2)), { verdict: 'marked', findings: ['damaged'] })
})

void test('Word files with macros, embedded objects or remote templates are marked', async (t) => {
  const withPart = (name: string, content: string) => scan(zipOf({ ...wordParts, [name]: content }), wordType)
  t.match(await scan(zipOf(wordParts), wordType), { verdict: 'clean' })
  t.match(await withPart('word/vbaProject.bin', 'x'), { verdict: 'marked', findings: ['macros'] })
  t.match(await withPart('word/embeddings/oleObject1.bin', 'x'), { findings: ['embedded_object'] })
  const template = '<Relationship Type="x/attachedTemplate" Target="https://example.net/t.dotm" TargetMode="External"/>'
  t.match(await withPart('word/_rels/settings.xml.rels', template), { findings: ['remote_content'] })
  const link = '<Relationship Type="x/relationships/hyperlink" Target="https://example.net/" TargetMode="External"/>'
  t.match(await withPart('word/_rels/document.xml.rels', link), { verdict: 'clean' })
})

void test('an entry that unpacks to more than the directory says does not pass', async (t) => {
  const packed = deflateRawSync(Buffer.alloc(5_000_000))
  const lying = zipOf(wordParts, { name: 'word/media/a.bin', packed, unpackedBytes: 10 })
  t.match(await scan(lying, wordType), { verdict: 'rejected' })
})

void test('entities, deep nesting and JSON that is not FHIR are refused', async (t) => {
  const cda = '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>x</title></ClinicalDocument>'
  t.match(await scan(cda, 'text/xml'), { verdict: 'clean', mimeType: 'application/hl7-cda+xml' })
  t.match(await scan(`<!DOCTYPE x [<!ENTITY a "b">]>${cda}`), { verdict: 'rejected' })
  t.match(await scan(`{"resourceType":"Bundle","a":${'['.repeat(5000)}${']'.repeat(5000)}}`), {
    findings: ['too_deep'],
  })
  t.match(await scan('{"hello":"world"}'), { verdict: 'rejected', code: 'unsupported_file_type' })
  t.match(await scan('{"resourceType":"Patient"}'), { verdict: 'clean' })
})

void test('coded files are looked into in the letters in which they are written', async (t) => {
  const wide = (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')
  const cda = '<ClinicalDocument xmlns="urn:hl7-org:v3"><title>x</title></ClinicalDocument>'
  t.match(await scan(wide(cda)), { verdict: 'clean', mimeType: 'application/hl7-cda+xml' })
  t.match(await scan(wide(`<!DOCTYPE x [<!ENTITY a "b">]>${cda}`)), { verdict: 'rejected' })
  for (const bytes of [wide('{"resourceType":"Patient"}'), Buffer.from('\uFEFF{"resourceType":"Patient"}')])
    t.match(await scan(bytes), { verdict: 'clean', mimeType: 'application/fhir+json' })
  t.match(await scan('MSH#^~\\&#LAB\rPID#1##1\r'), { mimeType: 'x-application/hl7-v2+er7' })
})

void test('a file that its parser cannot finish in time is refused, not waited for', async (t) => {
  t.match(await scan(pdfOfLines([page]), '', { answerTimeoutMs: 1, leastCpuMs: 0 }), {
    verdict: 'rejected',
    findings: ['takes_too_long'],
  })
})

void test('the anti-virus test file is found bare, inside a PDF, a Word file and an e-mail', async (t) => {
  const virus = ['X5O!P%@AP[4', '\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-', 'ANTIVIRUS-TEST-', 'FILE!$H+H*'].join('')
  const refused = { verdict: 'rejected', code: 'file_infected' }
  t.match(await scan(virus), refused)
  t.match(await scan(' '.repeat((1 << 20) - 30) + virus), refused, 'across the border of two pieces')
  const packed = deflateSync(virus).toString('latin1')
  const stream = `<< /Filter /FlateDecode /Length ${packed.length} >>\nstream\n${packed}\nendstream`
  t.match(await scan(pdfOfLines([page], { objects: { 101: stream } })), refused)
  t.match(await scan(zipOf({ ...wordParts, 'word/media/a.com': virus }), wordType), refused)
  t.match(await scan(`MIME-Version: 1.0\r\n\r\n${Buffer.from(virus).toString('base64')}\r\n`), refused)
})
