import { test } from 'tap'
import { findFacts } from '../../../clinical/extraction/find-facts.ts'
import type { MappedDocument } from '../../../clinical/document/mapped.ts'
import { printDocument } from './print-document.ts'

/** No two pages alike, so that facts, dates and places grow with the pages; read from a picture, so that words are looked up. */
function record(pages: number): MappedDocument {
  const lines = Array.from({ length: pages }, (_, page) => [
    'Progress note',
    `Date of visit: ${1 + (page % 28)}/0${1 + (page % 9)}/${1960 + (page % 60)}`,
    'Patient: Mary Webb\tDOB: 03/04/1951',
    `Seen for hypertensoin and asthma, diagnosed in ${1950 + (page % 70)}. No chest pain. Possible gout.`,
    `Potassium ${3 + (page % 30) / 10} mmol/L, sodium was ${120 + (page % 40)}, BP ${110 + (page % 60)}/80.`,
    'Medications',
    `Metformin ${500 + page} mg twice daily`,
    'Past medical history',
    `Appendicectomy ${1950 + (page % 70)}`,
    'Results',
    'Test\tResult\tUnits\tReference range',
    `Haemoglobin\t${90 + (page % 90)}\tg/L\t130 - 170`,
    'Immunisations',
    'Vaccine\tDate given',
    `Influenza\t${1 + (page % 28)}/0${1 + (page % 9)}/${1990 + (page % 30)}`,
  ])
  return printDocument(lines.flat(), { confidence01: 0.95 })
}

/** The same document, telling how often a place of a word or line is looked at. */
function watched(document: MappedDocument) {
  const seen = { looks: 0 }
  const watch = <Item extends { readonly start: number }>(item: Item): Item =>
    new Proxy(item, {
      get: (target, key) => {
        if (key === 'start') seen.looks += 1
        return Reflect.get(target, key)
      },
    })
  return { seen, document: { ...document, words: document.words.map(watch), lines: document.lines.map(watch) } }
}

function looksAt(pages: number): number {
  const { seen, document } = watched(record(pages))
  findFacts(document)
  return seen.looks
}

/** The least of some runs: what else the machine does can only add to it. */
function cpuOf(document: MappedDocument): number {
  const runs = Array.from({ length: 4 }, () => {
    const before = process.cpuUsage()
    findFacts(document)
    const { user, system } = process.cpuUsage(before)
    return user + system
  })
  return Math.min(...runs)
}

void test('four times the pages have four times the facts and take about four times the looks', async (t) => {
  const facts = [50, 200].map((pages) => findFacts(record(pages)).facts.length)
  t.ok((facts[1] ?? 0) > 2 * (facts[0] ?? 0), `${facts.join(' and ')} facts`)
  const ratio = looksAt(200) / looksAt(50)
  t.ok(ratio < 6, `${ratio.toFixed(1)} times the looks`)
})

void test('the work as a whole grows far slower than the square of the pages', async (t) => {
  const [short, long] = [record(80), record(320)]
  findFacts(short)
  const ratio = cpuOf(long) / cpuOf(short)
  t.ok(ratio < 9, `${ratio.toFixed(1)} times the work for 4 times the pages; the square would be 16`)
})
