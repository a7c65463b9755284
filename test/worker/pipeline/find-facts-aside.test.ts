import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import { findFactsAside } from '../../../worker/pipeline/find-facts-aside.ts'
import { printDocument } from '../../clinical/extraction/print-document.ts'

const page = Array.from({ length: 50 }, (_, row) => `Seen for asthma in ${1950 + row}, sodium 140 mmol/L.`)
const letter = printDocument(page.slice(0, 10))
const volume = printDocument(Array.from({ length: 60 }, () => page).flat())
const never = new AbortController().signal

test('a long document has the same facts read aside as read in place', async (t) => {
  t.strictSame(await findFactsAside(letter, never), findFacts(letter))
  const found = await findFactsAside(volume, never)
  t.ok(found.facts.length > 10)
  t.strictSame(found, findFacts(volume))
})

test('everything else goes on while a long document is read', async (t) => {
  let turns = 0
  const reading = { isDone: false }
  const found = findFactsAside(volume, never).finally(() => {
    reading.isDone = true
  })
  while (!reading.isDone) {
    turns += 1
    await setImmediate()
  }
  await found
  t.ok(turns > 20, `${turns} turns of the loop; read in place there would be three`)
})

test('an abort ends the reading of a long document', async (t) => {
  const stop = new AbortController()
  const found = findFactsAside(volume, stop.signal)
  await setImmediate()
  await setImmediate()
  stop.abort(new Error('stopped'))
  await t.rejects(found, { message: 'stopped' })
  await t.rejects(findFactsAside(letter, AbortSignal.abort(new Error('stopped before'))), { message: 'stopped before' })
})
