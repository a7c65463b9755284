import { readFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import t from 'tap'
import { pdfOfLines } from '../support/pdf.ts'
import { sample } from '../support/samples.ts'
import { openSystem } from '../support/system.ts'

const page = [{ text: 'Haemoglobin 131 g/L', x: 72, y: 700 }]
const letter = await readFile(sample('lab-report-au.pdf'))
const scan = await readFile(sample('lab-report-scan.jpg'))
// The test virus of the EICAR, put together here so that no scanner finds it in this file.
const eicar = ['X5O!P%@AP[4', '\\PZX54(P^)7CC)7}$', 'EICAR-STANDARD-', 'ANTIVIRUS-TEST-', 'FILE!$H+H*'].join('')

/** What is answered to the upload itself. */
const refusedAtOnce: Readonly<Record<string, { bytes: Uint8Array; status: number; code: string }>> = {
  'an empty file': { bytes: Buffer.alloc(0), status: 422, code: 'file_empty' },
  'a program with the name of a PDF': {
    bytes: Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0\x04\0', 'latin1'), randomBytes(2_000)]),
    status: 415,
    code: 'unsupported_file_type',
  },
  'a Linux program with the name of a PDF': {
    bytes: Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01\0', 'latin1'), randomBytes(2_000)]),
    status: 415,
    code: 'unsupported_file_type',
  },
  'a web page with the name of a PDF': {
    bytes: Buffer.from('<!doctype html><html><script>alert(1)</script></html>'),
    status: 415,
    code: 'unsupported_file_type',
  },
}

/** What is taken, and fails with a reason. */
const failing: Readonly<Record<string, { bytes: Uint8Array; code: string }>> = {
  'a PDF with a password': {
    bytes: lock(pdfOfLines([page], { objects: { 100: lockedBy() } })),
    code: 'file_encrypted',
  },
  'a PDF that was cut off': { bytes: letter.subarray(0, 2_000), code: 'file_corrupt' },
  'a PDF without pages': { bytes: pdfOfLines([]), code: 'file_corrupt' },
  'a text with the test virus': { bytes: Buffer.from(eicar), code: 'file_infected' },
  'a PDF with the test virus attached': {
    bytes: pdfOfLines([page], { objects: { 100: `<< /Length ${eicar.length} >>\nstream\n${eicar}\nendstream` } }),
    code: 'file_infected',
  },
}

t.setTimeout(280_000)

void t.test('files that mean harm, or are broken', async (group) => {
  const { sql, startServer, startWorker, introduce } = await openSystem(group)
  const [server, worker] = await Promise.all([startServer(), startWorker()])
  const person = await introduce(server, { name: 'Patria Schimmel', bornOn: '1974-05-21' })
  const pickUp = (bytes: Uint8Array) => person.giveBytes({ bytes, filename: 'report.pdf' })

  for (const [name, { bytes, status, code }] of Object.entries(refusedAtOnce)) {
    await group.test(`${name} is not taken`, async (test) => {
      const answer = await person.upload({ bytes, filename: 'report.pdf' })
      test.hasStrict(answer, { status, body: { code } })
      test.match(answer.body['detail'], readable)
    })
  }
  const [taken] = await sql`select count(*)::int as n from shell_files`
  group.equal(taken?.['n'], 0)

  for (const [name, { bytes, code }] of Object.entries(failing)) {
    await group.test(`${name} fails with a reason that its owner understands`, async (test) => {
      const id = await pickUp(bytes)
      test.equal((await person.follow(id)).at(-1)?.file_status, 'failed')
      const document = await person.document(id)
      test.hasStrict(document, { status: 'failed', processing_error: { stage: 'security_scan', code } })
      test.match(document.processing_error?.message, readable)
      test.same(
        document.stages.map(({ status }) => status),
        ['failed', 'skipped', 'skipped', 'skipped', 'skipped', 'skipped'],
      )
      test.same(await person.facts(id), [])
      test.hasStrict(await person.get(`/documents/${id}/pages/1/image`), notDrawn)
      const original = await person.get(`/documents/${id}/content`)
      if (code === 'file_infected') test.hasStrict(original, { status: 422, body: { code } })
      else test.equal(original.status, 200, 'its owner may have it back')
    })
  }

  await group.test('a PDF with a script is read, and its script is not run', async (test) => {
    const script = '<< /S /JavaScript /JS (while \\(true\\) {} app.launchURL\\("http://127.0.0.1:1/"\\)) >>'
    const id = await pickUp(pdfOfLines([page], { catalogue: '/OpenAction 100 0 R', objects: { 100: script } }))
    test.equal((await person.follow(id)).at(-1)?.file_status, 'completed')
    test.match(await person.facts(id), [{ type: 'lab_result', text: 'Haemoglobin', value: '131', unit: 'g/L' }])
    test.notMatch(await person.text(id), /while|launchURL/)
    const scanned = (await person.document(id)).stages.find(({ stage }) => stage === 'security_scan')
    test.match(scanned, { notices: [{ code: 'script', message: readable }] }, 'and its owner is told')
  })

  await group.test('a photo whose lower half is missing is read as far as it came', async (test) => {
    const id = await pickUp(scan.subarray(0, Math.floor(scan.length / 2)))
    // Far enough to see that it is somebody else's.
    test.equal((await person.follow(id)).at(-1)?.file_status, 'needs_review')
    const words = await person.words(id, 1)
    test.ok(words.some(({ text }) => text === 'GLUCOSE'))
    test.ok(
      words.every(({ box: [, top = 1] }) => top < 0.75),
      'nothing is read where nothing is',
    )
    test.equal((await person.get(`/documents/${id}/pages/1/image`)).status, 200)
  })

  await group.test('that come all at once hold up nobody: a letter among them is read', async (test) => {
    const bombs = [1, 2, 3].map((number) => ({ bytes: bomb(number), code: 'file_too_large' }))
    const hostile = [...bombs, { bytes: letter.subarray(0, 1_900), code: 'file_corrupt' }]
    const given = await Promise.all(hostile.map(({ bytes }) => pickUp(bytes)))
    const letterId = await person.give(sample('lab-report-us.pdf'))
    for (const [index, id] of given.entries()) {
      await person.follow(id)
      test.match(await person.document(id), { status: 'failed', processing_error: { code: hostile[index]?.code } })
    }
    test.match((await person.follow(letterId)).at(-1)?.file_status, /^(completed|needs_review)$/)
  })

  await group.test('leave the worker as it was', async (test) => {
    test.match(await (await fetch(`${worker.address}/health`)).json(), { active_jobs: 0 })
    const id = await person.give(sample('lab-report-au.pdf'))
    test.equal((await person.follow(id)).at(-1)?.file_status, 'completed')
    test.ok((await person.facts(id)).length > 10)
    const unfinished = await sql`select job_type, status from job_queue where status <> 'completed' or retry_count > 0`
    test.same(unfinished, [], 'nothing was tried again, nothing is left')
  })
})

/** Each is another file. */
function bomb(number: number): Buffer {
  const packed = deflateSync(Buffer.alloc(100_000_000, number)).toString('latin1')
  const stream = `<< /Filter /FlateDecode /Length ${packed.length} >>\nstream\n${packed}\nendstream`
  return pdfOfLines([page], { objects: { 101: stream } })
}

/** A sentence or two, without anything that only a programmer would say. */
const readable = /^[A-Z][\w ,:;'’()-]+\.( [A-Z][\w ,:;'’()-]+\.)*$/

const notDrawn = { status: 422, body: { code: 'page_not_rendered' } }

/** The standard handler with a password that nobody knows: any 32 bytes. */
function lockedBy(): string {
  const bytes = () => `<${randomBytes(32).toString('hex')}>`
  return `<< /Filter /Standard /V 1 /R 2 /P -4 /O ${bytes()} /U ${bytes()} >>`
}

function lock(pdf: Buffer): Buffer {
  const id = `<${randomBytes(16).toString('hex')}>`
  return Buffer.from(
    pdf.toString('latin1').replace('trailer\n<< ', `trailer\n<< /Encrypt 100 0 R /ID [${id} ${id}] `),
    'latin1',
  )
}
