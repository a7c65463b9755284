/** A small reader of XML: tags and text in order, nothing fetched, no entities but the five and numbers. */
export type XmlEvent =
  | { readonly kind: 'open'; readonly name: string; readonly attributes: (name: string) => string | null }
  | { readonly kind: 'close'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string }

const token = /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<[?!][^>]*>|<(\/?)([^\s/>]+)([^>]*?)(\/?)>|([^<]+)/g

export function* xmlEvents(xml: string): Generator<XmlEvent> {
  for (const [, data, slash, name, attributes = '', selfClosing, text] of xml.matchAll(token)) {
    if (text !== undefined) yield { kind: 'text', text: decodeEntities(text) }
    else if (data !== undefined) yield { kind: 'text', text: data }
    if (name === undefined) continue
    if (slash === '/') yield { kind: 'close', name }
    else {
      yield { kind: 'open', name, attributes: (wanted) => attributeOf(attributes, wanted) }
      if (selfClosing === '/') yield { kind: 'close', name }
    }
  }
}

function attributeOf(attributes: string, wanted: string): string | null {
  for (const [, name, double, single] of attributes.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    if (name === wanted) return decodeEntities(double ?? single ?? '')
  }
  return null
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

function decodeEntities(text: string): string {
  return text.replaceAll(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return named[name] ?? whole
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' '
  })
}
