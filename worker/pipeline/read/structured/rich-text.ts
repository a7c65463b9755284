import { TextDecoder } from 'node:util'
import { flowOf, type Flow, type FlowBlock, type FlowRun } from './flow.ts'

const token = /\\([a-z]+)(-?\d+)? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+/gi

/** Groups that hold no text of the document. */
const silent = new Set(
  'fonttbl colortbl stylesheet info pict object objdata themedata colorschememapping datastore latentstyles listtable listoverridetable rsidtbl generator xmlnstbl fldinst nonshppict blipuid bkmkstart bkmkend footnote annotation'.split(
    ' ',
  ),
)
const characters: Readonly<Record<string, string>> = {
  tab: '    ',
  line: '\n',
  emdash: '—',
  endash: '–',
  bullet: '•',
  lquote: '‘',
  rquote: '’',
  ldblquote: '“',
  rdblquote: '”',
  emspace: ' ',
  enspace: ' ',
  '~': ' ',
  _: '-',
  '-': '',
  '{': '{',
  '}': '}',
  '\\': '\\',
}

type Group = { isBold: boolean; isSilent: boolean; skip: number; decoder: TextDecoder }

type Open = {
  readonly blocks: FlowBlock[]
  readonly groups: Group[]
  /** By number of the font: fonts say in which code page their letters are written. */
  readonly fonts: ReadonlyMap<number, TextDecoder>
  runs: FlowRun[]
  row: FlowRun[][]
  rows: FlowRun[][][]
  /** Characters still to be left out after a Unicode one: its stand-in for old readers. */
  pending: number
}

/** RTF without its objects, pictures and fields: text, bold and tables. */
export function readRichText(file: Buffer): Flow {
  const source = file.toString('latin1')
  const page = /\\ansicpg(\d+)/.exec(source)?.[1] ?? '1252'
  const open: Open = {
    blocks: [],
    groups: [{ isBold: false, isSilent: false, skip: 1, decoder: decoderOf(page) }],
    fonts: fontsOf(source),
    runs: [],
    row: [],
    rows: [],
    pending: 0,
  }
  for (const [, word, number, hex, symbol, brace, text] of source.matchAll(token)) {
    if (brace !== undefined) stepGroup(open, brace)
    else if (word !== undefined) control(open, word, number === undefined ? null : Number(number))
    else if (hex !== undefined) addBytes(open, Buffer.from(hex, 'hex'))
    else if (symbol === '*') silence(open)
    else if (symbol !== undefined) addText(open, characters[symbol] ?? '')
    else if (text !== undefined) addBytes(open, Buffer.from(text, 'latin1'))
  }
  endParagraph(open)
  endTable(open)
  return flowOf(open.blocks)
}

const pagesOfCharsets: Readonly<Record<string, string>> = {
  128: 'shift_jis',
  129: 'euc-kr',
  134: 'gbk',
  136: 'big5',
  161: 'windows-1253',
  162: 'windows-1254',
  163: 'windows-1258',
  177: 'windows-1255',
  178: 'windows-1256',
  186: 'windows-1257',
  204: 'windows-1251',
  222: 'windows-874',
  238: 'windows-1250',
}

function fontsOf(source: string): ReadonlyMap<number, TextDecoder> {
  const fonts = new Map<number, TextDecoder>()
  for (const [, font, charset] of source.matchAll(/\\f(\d{1,5})\b[^{};]{0,120}?\\fcharset(\d{1,3})/g)) {
    const page = pagesOfCharsets[charset ?? '']
    if (page !== undefined) fonts.set(Number(font), new TextDecoder(page))
  }
  return fonts
}

function decoderOf(page: string): TextDecoder {
  try {
    return new TextDecoder(page === '932' ? 'shift_jis' : `windows-${page}`)
  } catch {
    return new TextDecoder('windows-1252')
  }
}

function stepGroup(open: Open, brace: string): void {
  const top = open.groups.at(-1)
  if (brace === '{' && top !== undefined) open.groups.push({ ...top })
  else if (open.groups.length > 1) open.groups.pop()
}

function silence(open: Open): void {
  const top = open.groups.at(-1)
  if (top !== undefined) top.isSilent = true
}

function control(open: Open, word: string, number: number | null): void {
  const top = open.groups.at(-1)
  if (top === undefined) return
  if (silent.has(word)) top.isSilent = true
  else if (word === 'b') top.isBold = number !== 0
  else if (word === 'plain' || word === 'pard') top.isBold = word === 'pard' ? top.isBold : false
  else if (word === 'f' && number !== null)
    top.decoder = open.fonts.get(number) ?? open.groups[0]?.decoder ?? top.decoder
  else if (word === 'uc') top.skip = number ?? 1
  else if (word === 'u' && number !== null) addUnicode(open, top, number)
  else if (top.isSilent) return
  else if (word === 'par' || word === 'sect') endParagraph(open)
  else if (word === 'page') open.blocks.push({ kind: 'page break' })
  else if (word === 'cell' || word === 'nestcell') open.row.push(open.runs.splice(0))
  else if (word === 'row' || word === 'nestrow') open.rows.push(open.row.splice(0))
  else if (characters[word] !== undefined) addText(open, characters[word])
}

function addUnicode(open: Open, top: Group, number: number): void {
  addText(open, String.fromCharCode(number < 0 ? number + 65_536 : number))
  open.pending = top.skip
}

function addBytes(open: Open, bytes: Buffer): void {
  const left = bytes.subarray(Math.min(open.pending, bytes.length))
  open.pending = Math.max(0, open.pending - bytes.length)
  addText(open, open.groups.at(-1)?.decoder.decode(left, { stream: true }) ?? '')
}

function addText(open: Open, text: string): void {
  const top = open.groups.at(-1)
  if (top === undefined || top.isSilent || text === '') return
  if (open.rows.length > 0 && open.row.length === 0 && open.runs.length === 0 && text.trim() === '') return
  open.runs.push({ text, isBold: top.isBold })
}

/** Inside a row a paragraph ends a line of the cell; after one it ends the table. */
function endParagraph(open: Open): void {
  if (open.row.length > 0) {
    open.runs.push({ text: '\n', isBold: false })
    return
  }
  if (open.runs.length === 0 && open.rows.length > 0) return
  endTable(open)
  open.blocks.push({ kind: 'paragraph', runs: open.runs.splice(0) })
}

function endTable(open: Open): void {
  if (open.rows.length > 0) open.blocks.push({ kind: 'table', rows: open.rows.splice(0) })
}
