import { test } from 'tap'
import { mergeReadings, withoutSpecks } from '../../../../worker/providers/ocr/page-modes.ts'
import type { OcrWord } from '../../../../worker/providers/ocr/provider.ts'

const word = (text: string, left: number, confidence01: number, width = 50): OcrWord => ({
  text,
  confidence01,
  box: [left, 100, left + width, 120],
  line: 0,
  block: 0,
})
const texts = (words: readonly OcrWord[]): string[] => words.map(({ text }) => text)

void test('a word that only one page mode found is kept', async (t) => {
  t.same(texts(mergeReadings([word('Sodium', 0, 0.9)], [word('140', 200, 0.9)])), ['Sodium', '140'])
})

void test('of two readings of one place the more confident stands', async (t) => {
  t.same(texts(mergeReadings([word('S0dium', 0, 0.5)], [word('Sodium', 1, 0.9)])), ['Sodium'])
  t.same(texts(mergeReadings([word('Sodium', 0, 0.9)], [word('S0dium', 1, 0.5)])), ['Sodium'])
})

void test('a word split by one mode and whole in the other comes out once', async (t) => {
  const whole = [word('mmol/L', 0, 0.8, 100)]
  const split = [word('mmol', 0, 0.9, 60), word('/L', 64, 0.9, 36)]
  t.same(texts(mergeReadings(whole, split)), ['mmol', '/L'])
  t.same(texts(mergeReadings(split, [word('mmol/L', 0, 0.95, 100)])), ['mmol/L'])
})

void test('rules and specks are nobody’s words', async (t) => {
  const speck = { ...word('|', 0, 0.3), box: [0, 0, 3, 90] as const }
  t.same(texts(withoutSpecks([speck, word('Urea', 60, 0.4), word('-', 200, 0.9)], 300)), ['Urea', '-'])
})
