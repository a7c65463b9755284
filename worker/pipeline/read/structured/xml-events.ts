/**
 * A small reader of XML: tags and text in order, nothing fetched, no entities of the file's own. It takes what it gets:
 * what is cut off or badly formed costs that place, and each letter is looked at a fixed number of times.
 */
export type XmlEvent =
  | { readonly kind: 'open'; readonly name: string; readonly attributes: (name: string) => string | null }
  | { readonly kind: 'close'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }

export function* xmlEvents(xml: string): Generator<XmlEvent> {
  let at = 0
  while (at < xml.length) {
    const mark = xml.indexOf('<', at)
    if (mark !== at) yield { kind: 'text', text: decodeEntities(xml.slice(at, mark === -1 ? xml.length : mark)) }
    if (mark === -1) return
    const special = specials.find(([start]) => xml.startsWith(start, mark))
    if (special !== undefined) {
      const [start, end] = special
      const stop = xml.indexOf(end, mark + start.length)
      if (start === '<![CDATA[')
        yield { kind: 'text', text: xml.slice(mark + start.length, stop === -1 ? xml.length : stop) }
      if (stop === -1) return
      at = stop + end.length
      continue
    }
    const stop = endOfTag(xml, mark)
    if (stop === -1) return
    yield* tagEvents(xml.slice(mark + 1, stop))
    at = stop + 1
  }
}

const specials = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '>'],
  ['<!', '>'],
] as const

const mostAttributes = 65_536

/** Where the tag ends: at a ">" that stands in no quotation marks; at the first one where those are not closed. */
function endOfTag(xml: string, start: number): number {
  const first = xml.indexOf('>', start)
  let quote = ''
  for (let at = start; at < xml.length && at - start < mostAttributes; at++) {
    const letter = xml[at] ?? ''
    if (quote !== '') {
      if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '>') return at
    else if (letter === '<' && at > start) return first
  }
  return first
}

function* tagEvents(tag: string): Generator<XmlEvent> {
  const isClosing = tag.startsWith('/')
  const isClosed = tag.endsWith('/')
  const inner = tag.slice(isClosing ? 1 : 0, isClosed ? -1 : tag.length)
  const name = /^[^\s/>]+/.exec(inner)?.[0]
  if (name === undefined) return
  if (!isClosing) yield { kind: 'open', name, attributes: (wanted) => attributeOf(inner.slice(name.length), wanted) }
  if (isClosing || isClosed) yield { kind: 'close', name }
}

function attributeOf(attributes: string, wanted: string): string | null {
  for (const [, name, double, single] of attributes.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (name === wanted) return decodeEntities(double ?? single ?? '')
  }
  return null
}

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  deg: '°',
  micro: 'µ',
  plusmn: '±',
  le: '≤',
  ge: '≥',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  frac12: '½',
  sup2: '²',
  sup3: '³',
  times: '×',
}

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(/&(#x?[0-9a-f]{1,8}|\w{1,20});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return named[name] ?? whole
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    const isLetter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
    return isLetter ? String.fromCodePoint(code) : ' '
  })
}
