import { test } from 'tap'
import { asActor, asService } from '../../db/actor.ts'
import { packWords, unpackWords, type StoredWord } from '../../db/queries/page-words.ts'
import { savedPages, listPages, loadPage, loadPages, savePage, savePageSpans } from '../../db/queries/pages.ts'
import type { StoredPage } from '../../db/queries/pages.ts'
import { loadText, loadTextContent, saveText } from '../../db/queries/texts.ts'
import { signUp } from '../support/actors.ts'
import { upload } from '../support/factories.ts'
import { testDatabase } from '../support/postgres.ts'

const word = (changes: Partial<StoredWord> = {}): StoredWord => ({
  text: 'Haemoglobin',
  confidence01: 1,
  box: [0.1, 0.2, 0.3, 0.25],
  line: 3,
  block: 1,
  ...changes,
})

const page = (number: number, words: readonly StoredWord[] = [word()]): StoredPage => ({
  number,
  widthPt: 595.5,
  heightPt: 842,
  rotation: 90,
  source: 'merged',
  engine: 'test 1',
  quality: { grade: 'fair', reason: 'Blurred.' },
  words,
})

test('words come back as they went in, to a 65535th of the page', (t) => {
  const words = [
    word({ isBold: true, block: 16383, line: 65535, isStruck: true }),
    word({ text: 'µmol/L 😀 ﬁ', confidence01: 0.5 }),
    word({ box: [0, 0, 1, 1], confidence01: 0 }),
  ]
  const unpacked = unpackWords(packWords(words))
  unpacked.forEach((found, index) => {
    const { box, confidence01, ...rest } = found
    const { box: wanted, confidence01: sureness01, ...others } = words[index] ?? word()
    t.same(rest, others)
    box.forEach((edge, corner) => t.ok(Math.abs(edge - (wanted[corner] ?? 0)) <= 0.5 / 65535))
    t.ok(Math.abs(confidence01 - sureness01) <= 0.5 / 255)
  })
  t.same(unpackWords(packWords(unpacked)), unpacked, 'a second time changes nothing more')
  t.end()
})

test('a hairline keeps an extent, and what lies outside of the page is brought to its edge', (t) => {
  const [flat, outside] = unpackWords(
    packWords([word({ box: [0.5, 0.5, 0.5, 0.5] }), word({ box: [-1, 0.9, 2, 1.1] })]),
  )
  t.ok(flat !== undefined && flat.box[0] < flat.box[2] && flat.box[1] < flat.box[3])
  t.same([outside?.box[0], outside?.box[2], outside?.box[3]], [0, 1, 1])
  t.equal(unpackWords(packWords([word({ text: 'a\u0000b', confidence01: Number.NaN })]))[0]?.text, 'ab')
  t.end()
})

test('pages are saved once each, found again, and read only by those who may', async (t) => {
  const { db } = await testDatabase(t)
  const [person, stranger] = [await signUp(db), await signUp(db)]
  const file = (await upload(db, person)).shell_file_id
  const many = Array.from({ length: 2000 }, (_, index) => word({ text: `w${index}`, line: index }))
  await asService(db, {}, async (tx) => {
    await savePage(tx, file, page(2))
    await savePage(tx, file, page(1, []))
    await savePage(tx, file, page(2, many))
    await savePageSpans(tx, file, [{ number: 2, start: 10, length: 20 }])
  })
  await asActor(db, person.actor, async (tx) => {
    t.same(
      (await loadPages(tx, file)).map((each) => [each.number, each.words.length]),
      [
        [1, 0],
        [2, 2000],
      ],
    )
    t.match(await loadPage(tx, file, 2), { ...page(2, []), words: [{ text: 'w0' }] })
    t.equal(await loadPage(tx, file, 3), null)
    t.same(await savedPages(tx, file), [1, 2])
    t.match(await listPages(tx, file), [
      { number: 1, wordCount: 0 },
      { number: 2, wordCount: 2000 },
    ])
  })
  await asActor(db, stranger.actor, async (tx) => {
    t.same(await loadPages(tx, file), [])
    t.equal(await loadPage(tx, file, 2), null)
  })
})

test('a text is never edited: mapping again adds a version', async (t) => {
  const { db } = await testDatabase(t)
  const [person, stranger] = [await signUp(db), await signUp(db)]
  const file = (await upload(db, person)).shell_file_id
  await asService(db, {}, async (tx) => {
    t.equal(await loadText(tx, file), null)
    t.equal(await saveText(tx, file, { content: 'one\ftwo', layout: { lines: [1] } }), 1)
    t.equal(await saveText(tx, file, { content: 'again', layout: {} }), 2)
  })
  await asActor(db, person.actor, async (tx) => {
    t.same(await loadText(tx, file), { version: 2, content: 'again', layout: {} })
    t.same(await loadTextContent(tx, file, 1), { version: 1, content: 'one\ftwo' })
  })
  t.equal(await asActor(db, stranger.actor, (tx) => loadText(tx, file)), null)
})
