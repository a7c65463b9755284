import { test } from 'tap'
import type { FactType } from '../../../clinical/document/found-fact.ts'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { Page } from '../../../clinical/document/page.ts'
import { mapPages } from '../../../worker/pipeline/map/map-pages.ts'
import { readFile } from '../../../worker/pipeline/read/read-file.ts'
import { createLocalOcr } from '../../../worker/providers/ocr/index.ts'

const samples: readonly (readonly [string, FactType, number])[] = [
  ['lab-report-us.pdf', 'lab_result', 5],
  ['lab-report-au.pdf', 'lab_result', 5],
  ['discharge-summary-au.pdf', 'medication', 3],
  ['discharge-summary-two-pages.pdf', 'medication', 3],
  ['referral-letter-au.pdf', 'condition', 2],
]

for (const [name, type, atLeast] of samples) {
  void test(`${name} gives facts that lie on its words`, async (t) => {
    const ocr = createLocalOcr()
    const path = new URL(`../../fixtures/documents/${name}`, import.meta.url).pathname
    const pages: Page[] = []
    const reading = readFile({ path, mimeType: 'application/pdf' }, { ocr, signal: AbortSignal.timeout(60_000) })
    for await (const page of reading) pages.push(page)
    await ocr.close()
    const document = mapPages(pages)
    const { facts, unreadLines } = findFacts(document)

    t.ok(facts.filter((fact) => fact.type === type).length >= atLeast, `at least ${atLeast} of type ${type}`)
    t.ok(
      facts.some((fact) => fact.type === 'identity' && fact.detail.identityKind === 'name'),
      'the patient is named',
    )
    t.ok(
      facts.some((fact) => fact.date?.meaning === 'birth'),
      'the birth date is read',
    )
    for (const fact of facts) {
      for (const { start, length } of fact.spans) {
        const isOnWords = document.words.some((word) => word.start < start + length && start < word.start + word.length)
        t.ok(isOnWords && start + length <= document.text.length, `${fact.type} stands on printed words`)
      }
    }
    t.ok(unreadLines.every((line) => document.lines[line]?.kind !== 'furniture'))
  })
}

void test('the same document gives the same facts again', async (t) => {
  const ocr = createLocalOcr()
  const path = new URL('../../fixtures/documents/referral-letter-au.pdf', import.meta.url).pathname
  const pages: Page[] = []
  const reading = readFile({ path, mimeType: 'application/pdf' }, { ocr, signal: AbortSignal.timeout(60_000) })
  for await (const page of reading) pages.push(page)
  await ocr.close()
  t.strictSame(findFacts(mapPages(pages)), findFacts(mapPages(pages)))
})
