/**
 * DOCX as Word would print it: letterhead first, then the body, notes and footers. Text that was deleted or is hidden is
 * not there; comments follow the text and are no part of it. Pictures as big as a page are read on pages of their own.
 */
import { alignTabs } from '../structured/align-tabs.ts'
import type { Flow, FlowAttachment, FlowBlock } from '../structured/flow.ts'
import { all, attribute, first, readTree, textOf, type Element } from '../structured/xml-tree.ts'
import { notesOf, readBlocks, textOfBlocks, type WordContext } from './word-body.ts'
import { createNumbering, readStyles } from './word-styles.ts'
import { readZipDirectory, unpackEntry, type ZipEntry } from './zip.ts'

const mostPartBytes = 60e6

export function readWordDocument(file: Buffer): Flow {
  const parts = partsOf(file)
  const root = parts.tree('word/document.xml')
  const attachments: FlowAttachment[] = []
  const context: WordContext = {
    styles: readStyles(parts.tree('word/styles.xml')),
    label: createNumbering(parts.tree('word/numbering.xml')),
    picture: takePictures(parts, attachments),
    noteNumbers: { footnote: [], endnote: [] },
  }
  const body = readBlocks(first(root, 'document', 'body') ?? root, context)
  const seen = new Set<string>()
  // First, even and default headers are often the same.
  const once = (blocks: readonly FlowBlock[]) => {
    const text = textOfBlocks(blocks).trim()
    if (text === '' || seen.has(text)) return []
    seen.add(text)
    return blocks
  }
  const ofParts = (pattern: RegExp, holder: string) =>
    parts.names
      .filter((name) => pattern.test(name))
      .flatMap((name) => once(readBlocks(first(parts.tree(name), holder), context)))
  const headers = ofParts(/^word\/header\d*\.xml$/, 'hdr')
  const notes = [
    ...notesOf(parts.tree('word/footnotes.xml'), 'footnote', context),
    ...notesOf(parts.tree('word/endnotes.xml'), 'endnote', context),
  ]
  const footers = ofParts(/^word\/footer\d*\.xml$/, 'ftr')
  return {
    blocks: alignTabs([...headers, ...body, ...notes, ...footers, ...commentsOf(parts.tree('word/comments.xml'))]),
    entries: [],
    attachments,
  }
}

type Parts = {
  readonly names: readonly string[]
  readonly bytes: (name: string) => Buffer | null
  readonly tree: (name: string) => Element | null
}

function partsOf(file: Buffer): Parts {
  const entries = new Map<string, ZipEntry>((readZipDirectory(file) ?? []).map((entry) => [entry.name, entry]))
  const bytes = (name: string): Buffer | null => {
    const entry = entries.get(name)
    try {
      return entry === undefined ? null : unpackEntry(file, entry, mostPartBytes)
    } catch (error) {
      // Without its text there is nothing to read; without a header there is.
      if (name === 'word/document.xml') throw error
      return null
    }
  }
  return {
    names: [...entries.keys()].toSorted(),
    bytes,
    tree: (name) => {
      const part = bytes(name)
      return part === null ? null : readTree(part.toString('utf8'))
    },
  }
}

const pictureTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  webp: 'image/webp',
}
/** Smaller ones are letterheads, signatures and stamps. */
const leastCm = { width: 7, height: 5 }
const leastBytes = 8000

function takePictures(parts: Parts, attachments: FlowAttachment[]): WordContext['picture'] {
  const relations = new Map(
    all(parts.tree('word/_rels/document.xml.rels'), 'Relationships', 'Relationship').map((each) => [
      attribute(each, 'Id'),
      attribute(each, 'Target'),
    ]),
  )
  const taken = new Set<string>()
  return (relation, size) => {
    const target = relations.get(relation) ?? ''
    const name = target.startsWith('/') ? target.slice(1) : `word/${target}`
    const mimeType = pictureTypes[name.split('.').at(-1)?.toLowerCase() ?? '']
    const isBig = size === null || (size.widthCm >= leastCm.width && size.heightCm >= leastCm.height)
    if (mimeType === undefined || !isBig || taken.has(name)) return false
    const bytes = parts.bytes(name)
    if (bytes === null || bytes.length < leastBytes) return false
    taken.add(name)
    attachments.push({ mimeType, bytes })
    return true
  }
}

/** What people noted beside the text: to be seen, not to be taken for the letter. */
function commentsOf(root: Element | null): FlowBlock[] {
  const comments = all(root, 'comments', 'comment').map((comment) =>
    [attribute(comment, 'w:author'), textOf(comment)].filter(Boolean).join(': '),
  )
  if (comments.length === 0) return []
  return ['Comments in this file', ...comments].map((text, index) => ({
    kind: 'paragraph',
    runs: [{ text, isBold: index === 0, data: 'label' }],
  }))
}
