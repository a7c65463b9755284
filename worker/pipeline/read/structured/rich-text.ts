/** RTF: text, bold, tables, lists, notes. Objects are left out, hidden and deleted text too; big pictures become pages. */
import type { TextDecoder } from 'node:util'
import { symbolOf } from '../office/symbols.ts'
import { alignTabs } from './align-tabs.ts'
import type { Flow, FlowAttachment, FlowBlock, FlowRun } from './flow.ts'
import { decoderOf, fontsOf, type RtfFont } from './rtf-fonts.ts'
import { pictureOf } from './rtf-picture.ts'

const token = /\\([a-z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-f]{2})|\\([^a-z])|([{}])|([^\\{}\r\n]+)|[\r\n]+|[\s\S]/giy

/** Groups that hold no text of the document. */
const silent = new Set(
  'fonttbl colortbl stylesheet info object objdata themedata colorschememapping datastore latentstyles listtable listoverridetable rsidtbl generator xmlnstbl fldinst nonshppict blipuid bkmkstart bkmkend annotation atnid atnauthor atndate atnref filetbl revtbl nonesttables mmathPr pgdsctbl private xe tc'.split(
    ' ',
  ),
)
/** Groups that are printed elsewhere than where they stand. */
const elsewhere: Readonly<Record<string, 'header' | 'footer' | 'note'>> = {
  header: 'header',
  headerl: 'header',
  headerr: 'header',
  headerf: 'header',
  footer: 'footer',
  footerl: 'footer',
  footerr: 'footer',
  footerf: 'footer',
  footnote: 'note',
}
const characters: Readonly<Record<string, string>> = {
  tab: '\t',
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
  qmspace: ' ',
  '~': ' ',
  _: '-',
  '-': '',
  '{': '{',
  '}': '}',
  '\\': '\\',
  '\n': '\n',
  '\r': '\n',
}

type Place = 'body' | 'header' | 'footer' | 'note'
type Group = {
  isBold: boolean
  isSilent: boolean
  isHidden: boolean
  isStruck: boolean
  skip: number
  font: RtfFont | null
  place: Place
  picture: string[] | null
}
type Story = { readonly blocks: FlowBlock[]; runs: FlowRun[]; row: FlowRun[][]; rows: FlowRun[][][] }

type Open = {
  readonly stories: { readonly [Name in Place]: Story }
  readonly groups: Group[]
  readonly fonts: ReadonlyMap<number, RtfFont>
  readonly usual: TextDecoder
  readonly attachments: FlowAttachment[]
  notes: number
  /** Characters still to be left out after a Unicode one: its stand-in for old readers. */
  pending: number
}

const deepest = 500

export function readRichText(file: Buffer): Flow {
  const source = file.toString('latin1')
  const open = startOf(source)
  token.lastIndex = 0
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    const [, word, number, hex, symbol, brace, text] = match
    if (brace !== undefined) stepGroup(open, brace)
    else if (word === 'bin') token.lastIndex += Math.max(0, Number(number ?? 0))
    else if (word !== undefined) control(open, word.toLowerCase(), number === undefined ? null : Number(number))
    else if (hex !== undefined) addBytes(open, Buffer.from(hex, 'hex'))
    else if (symbol === '*') top(open).isSilent = true
    else if (symbol !== undefined) addCharacter(open, symbol)
    else if (text !== undefined) addBytes(open, Buffer.from(text, 'latin1'))
  }
  const blocksOf = (place: Place): FlowBlock[] => {
    const story = open.stories[place]
    endParagraph(story)
    endTable(story)
    return story.blocks
  }
  const blocks = [...blocksOf('header'), ...blocksOf('body'), ...blocksOf('note'), ...blocksOf('footer')]
  return { blocks: alignTabs(blocks), entries: [], attachments: open.attachments }
}

const newStory = (): Story => ({ blocks: [], runs: [], row: [], rows: [] })

function startOf(source: string): Open {
  return {
    stories: { body: newStory(), header: newStory(), footer: newStory(), note: newStory() },
    groups: [
      {
        isBold: false,
        isSilent: false,
        isHidden: false,
        isStruck: false,
        skip: 1,
        font: null,
        place: 'body',
        picture: null,
      },
    ],
    fonts: fontsOf(source),
    usual: decoderOf(source),
    attachments: [],
    notes: 0,
    pending: 0,
  }
}

function top(open: Open): Group {
  const group = open.groups.at(-1)
  if (group === undefined) throw new Error('a group was closed that was never opened')
  return group
}

const storyOf = (open: Open) => open.stories[top(open).place]

function stepGroup(open: Open, brace: string): void {
  const group = top(open)
  if (brace === '{') {
    if (open.groups.length < deepest) open.groups.push({ ...group })
    return
  }
  if (open.groups.length > 1) open.groups.pop()
  const outer = top(open)
  if (group.place !== outer.place) endParagraph(open.stories[group.place])
  if (group.picture !== null && outer.picture === null) addPicture(open, group.picture)
}

function addPicture(open: Open, parts: readonly string[]): void {
  const picture = pictureOf(parts)
  if (picture !== null) open.attachments.push(picture)
  if (!top(open).isSilent) storyOf(open).runs.push({ text: ' [picture] ', isBold: false, data: 'label' })
}

function control(open: Open, word: string, number: number | null): void {
  const group = top(open)
  const place = elsewhere[word]
  if (group.picture !== null) group.picture.push(`\\${word}${number ?? ''} `)
  else if (silent.has(word)) group.isSilent = true
  else if (word === 'pict') group.picture = []
  else if (place !== undefined) enter(open, group, place)
  else if (word === 'u' && number !== null) addUnicode(open, group, number)
  else if (!format(open, group, word, number) && !group.isSilent) structure(open, word)
}

function enter(open: Open, group: Group, place: 'header' | 'footer' | 'note'): void {
  if (place === 'note' && !group.isSilent) {
    open.notes++
    addText(open, ` [${open.notes}]`)
    group.place = place
    addText(open, `[${open.notes}] `)
  }
  group.place = place
}

/** How letters look; true if that is what the word is about. */
function format(open: Open, group: Group, word: string, number: number | null): boolean {
  if (word === 'b') group.isBold = number !== 0
  else if (word === 'plain') Object.assign(group, { isBold: false, isHidden: false, isStruck: false })
  else if (word === 'v' || word === 'deleted') group.isHidden = number !== 0
  else if (word === 'strike' || word === 'striked') group.isStruck = number !== 0
  else if (word === 'f' && number !== null) group.font = open.fonts.get(number) ?? null
  else if (word === 'uc') group.skip = Math.min(Math.max(number ?? 1, 0), 20)
  else return false
  return true
}

function structure(open: Open, word: string): void {
  const story = storyOf(open)
  if (word === 'par' || word === 'sect') endParagraph(story)
  else if (word === 'page' || word === 'pagebb') breakPage(story)
  else if (word === 'cell') story.row.push(story.runs.splice(0))
  else if (word === 'row') story.rows.push(story.row.splice(0))
  // A table in a cell is read row by row as lines of the cell.
  else if (word === 'nestcell') story.runs.push({ text: '  ', isBold: false })
  else if (word === 'nestrow') story.runs.push({ text: '\n', isBold: false })
  else if (characters[word] !== undefined) addText(open, characters[word])
}

function breakPage(story: Story): void {
  endParagraph(story)
  endTable(story)
  story.blocks.push({ kind: 'page break' })
}

function addCharacter(open: Open, symbol: string): void {
  if (symbol === '\n' || symbol === '\r') endParagraph(storyOf(open))
  else addText(open, characters[symbol] ?? '')
}

function addUnicode(open: Open, group: Group, number: number): void {
  const code = number < 0 ? number + 65_536 : number
  addText(open, code >= 0xf000 && code <= 0xf0ff ? symbolOf('Symbol', code) : String.fromCharCode(code))
  open.pending = group.skip
}

function addBytes(open: Open, bytes: Buffer): void {
  const group = top(open)
  if (group.picture !== null) {
    group.picture.push(bytes.toString('latin1'))
    return
  }
  const left = bytes.subarray(Math.min(open.pending, bytes.length))
  open.pending = Math.max(0, open.pending - bytes.length)
  if (group.font?.isSymbol === true) for (const byte of left) addText(open, symbolOf('Symbol', byte))
  else addText(open, (group.font?.decoder ?? open.usual).decode(left, { stream: true }))
}

function addText(open: Open, text: string): void {
  const group = top(open)
  const { isBold, isStruck } = group
  if (group.isSilent || group.isHidden || group.picture !== null || text === '') return
  const story = storyOf(open)
  if (story.rows.length > 0 && story.row.length === 0 && story.runs.length === 0 && text.trim() === '') return
  story.runs.push({ text, isBold, isStruck })
}

/** Inside a row a paragraph ends a line of the cell; after one it ends the table. */
function endParagraph(story: Story): void {
  if (story.row.length > 0) {
    story.runs.push({ text: '\n', isBold: false })
    return
  }
  if (story.runs.length === 0 && story.rows.length > 0) return
  endTable(story)
  story.blocks.push({ kind: 'paragraph', runs: story.runs.splice(0) })
}

function endTable(story: Story): void {
  if (story.row.length > 0) story.rows.push(story.row.splice(0))
  if (story.rows.length > 0) story.blocks.push({ kind: 'table', rows: story.rows.splice(0) })
}
