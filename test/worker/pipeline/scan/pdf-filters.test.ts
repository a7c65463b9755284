import { deflateSync } from 'node:zlib'
import { test } from 'tap'
import { filtersOf, unpackAll } from '../../../../worker/pipeline/scan/pdf-filters.ts'

const text = Buffer.from('Haemoglobin 131 g/L, haemoglobin 131 g/L, HAEMOGLOBIN! '.repeat(400))
const unpacked = (packed: Buffer, ...filters: string[]) => unpackAll(packed, filters, 1e6).bytes.toString('latin1')

test('each packing is undone', (t) => {
  const original = text.toString('latin1')
  t.equal(unpacked(deflateSync(text), 'FlateDecode'), original)
  t.equal(unpacked(lzw(text), 'LZWDecode'), original)
  // The example of ISO 32000-1, 7.4.4.2.
  t.equal(unpacked(Buffer.from('800b6050220c0c8501', 'hex'), 'LZW'), '-----A---B')
  t.equal(unpacked(runs(text), 'RunLengthDecode'), original)
  t.equal(unpacked(Buffer.from(`${text.toString('hex')}>`), 'ASCIIHexDecode'), original)
  t.equal(unpacked(Buffer.from('87cURD]i,"Ebo80~>'), 'ASCII85Decode'), 'Hello World!')
  t.equal(unpacked(Buffer.from('87cURDZ~>'), 'A85'), 'Hello')
  t.equal(unpacked(Buffer.from(`${deflateSync(lzw(text)).toString('hex')}>`), 'AHx', 'Fl', 'LZW'), original)
  t.end()
})

test('a stream that is cut off gives what there is of it, and a picture is left alone', (t) => {
  const packed = deflateSync(text)
  t.ok(unpacked(packed.subarray(0, packed.length - 8), 'FlateDecode').startsWith('Haemoglobin'))
  t.same(unpackAll(Buffer.from('x'), ['DCTDecode'], 10), { bytes: Buffer.from('x'), isWhole: false })
  t.match(unpackAll(Buffer.from('not packed at all'), ['FlateDecode'], 1e6), { isWhole: false })
  t.end()
})

test('none of them unpacks further than it may', (t) => {
  const zeros = Buffer.alloc(3e6)
  for (const [packed, name] of [
    [deflateSync(zeros), 'FlateDecode'],
    [lzw(zeros), 'LZWDecode'],
    [runs(zeros), 'RunLengthDecode'],
  ] as const)
    t.throws(() => unpackAll(packed, [name], 1e6), { name: 'UnpacksTooFar' }, name)
  t.end()
})

test('the packings are read in their order', (t) => {
  t.same(filtersOf('<< /Length 5 /Filter [ /ASCII85Decode\n/FlateDecode ] >>'), ['ASCII85Decode', 'FlateDecode'])
  t.same(filtersOf('<</Filter/Fl>>'), ['Fl'])
  t.same(filtersOf('<< /Length 5 >>'), [])
  t.end()
})

function runs(bytes: Buffer): Buffer {
  const out: number[] = []
  for (let at = 0; at < bytes.length;) {
    let same = 1
    while (same < 128 && bytes[at + same] === bytes[at]) same++
    if (same > 1) out.push(257 - same, bytes[at] ?? 0)
    else out.push(0, bytes[at] ?? 0)
    at += same
  }
  return Buffer.from([...out, 128])
}

function lzw(bytes: Buffer): Buffer {
  const out: number[] = []
  let [held, bits] = [0, 0]
  const write = (code: number, width: number) => {
    held = (held << width) | code
    bits += width
    while (bits >= 8) {
      bits -= 8
      out.push((held >>> bits) & 255)
      held &= (1 << bits) - 1
    }
  }
  let table = new Map<string, number>()
  let [next, width] = [258, 9]
  write(256, width)
  let word = ''
  const codeOf = (letters: string) => (letters.length === 1 ? letters.charCodeAt(0) : (table.get(letters) ?? 0))
  for (const byte of bytes) {
    const letter = String.fromCharCode(byte)
    if (word === '' || table.has(word + letter)) {
      word += letter
      continue
    }
    write(codeOf(word), width)
    table.set(word + letter, next++)
    if (next + 1 > 1 << width && width < 12) width++
    if (next >= 4094) {
      write(256, width)
      table = new Map()
      ;[next, width] = [258, 9]
    }
    word = letter
  }
  write(codeOf(word), width)
  write(257, next + 2 > 1 << width && width < 12 ? width + 1 : width)
  write(0, 7)
  return Buffer.from(out)
}
