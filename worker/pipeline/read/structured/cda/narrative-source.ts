import { isElement, type Element } from '../xml-tree.ts'

const kept = ['styleCode', 'listType', 'revised']

/** The narrative as markup again, for the reader that it shares with FHIR's. */
export function narrativeSource(element: Element): string {
  const parts: string[] = []
  const walk = (each: Element): void => {
    for (const child of each.children) {
      if (!isElement(child)) {
        parts.push(escaped(child))
        continue
      }
      const attributes = kept.map((name) => [name, child.attributes(name)] as const).filter(([, value]) => value !== '')
      const said = attributes.map(([name, value]) => ` ${name}="${escaped(value)}"`).join('')
      parts.push(`<${child.name}${said}>`)
      if (child.name === 'renderMultiMedia') parts.push('[picture]')
      walk(child)
      parts.push(`</${child.name}>`)
    }
  }
  walk(element)
  return parts.join('')
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
