import { isElement, type Element } from '../xml-tree.ts'

/** The narrative as markup again, for the reader that it shares with FHIR's. */
export function narrativeSource(element: Element): string {
  const parts: string[] = []
  const walk = (each: Element): void => {
    for (const child of each.children) {
      if (!isElement(child)) {
        parts.push(escaped(child))
        continue
      }
      const style = child.attributes('styleCode')
      const list = child.attributes('listType')
      parts.push(
        `<${child.name}${style === '' ? '' : ` styleCode="${escaped(style)}"`}${list === '' ? '' : ` listType="${escaped(list)}"`}>`,
      )
      if (child.name === 'renderMultiMedia') parts.push('[picture]')
      walk(child)
      parts.push(`</${child.name}>`)
    }
  }
  walk(element)
  return parts.join('')
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
