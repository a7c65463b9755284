import { test } from 'tap'
import { dateOrderOf, findDates } from '../../../clinical/document/dates.ts'

const read = (text: string, locale: 'en-AU' | 'en-US' = 'en-AU') =>
  findDates(text, dateOrderOf({ text, locale })).map(({ iso, certainty }) => `${iso} ${certainty}`)

void test('figures follow the locale, month names need none', async (t) => {
  t.strictSame(read('03/02/2021'), ['2021-02-03 locale'])
  t.strictSame(read('03/02/2021', 'en-US'), ['2021-03-02 locale'])
  t.strictSame(read('3rd of February 2021, Feb 3, 2021 and 3-Feb-21'), [
    '2021-02-03 printed',
    '2021-02-03 printed',
    '2021-02-03 printed',
  ])
})

void test('the document’s own unmistakable dates outweigh its locale', async (t) => {
  t.strictSame(read('25/12/2020 and 03/02/2021', 'en-US'), ['2020-12-25 printed', '2021-02-03 locale'])
  t.strictSame(read('25/12/2020, 12/26/2020 and 03/02/2021'), [
    '2020-12-25 printed',
    '2020-12-26 printed',
    '2021-02-03 ambiguous',
  ])
})

void test('partial dates stay partial', async (t) => {
  t.strictSame(read('March 2019, 07/2012, since 1998 and (2004)'), [
    '2019-03 printed',
    '2012-07 printed',
    '1998 printed',
    '2004 printed',
  ])
})

void test('a date may break over two lines', async (t) => {
  t.strictSame(read('thyroidectomy in\n1992 and again in October\n2004'), ['1992 printed', '2004-10 printed'])
})

void test('what only looks like a date is none', async (t) => {
  t.strictSame(read('BP 120/80, dose 250/125, range 3.5-5.2, 31/02/2020, phone 07 3333 2020, 1.2.3'), [])
})
