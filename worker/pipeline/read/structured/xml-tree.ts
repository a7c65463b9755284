/** XML as a tree, without names of name spaces. */
import { xmlEvents } from './xml-events.ts'

export type Element = {
  readonly name: string
  readonly attributes: (name: string) => string
  readonly children: readonly (Element | string)[]
}

type Open = { name: string; attributes: Element['attributes']; children: (Element | string)[] }

const deepest = 200

/** What is left open at the end of a file that was cut off is closed there. */
export function readTree(xml: string): Element {
  const root: Open = { name: '', attributes: () => '', children: [] }
  const path: Open[] = [root]
  for (const event of xmlEvents(xml)) {
    const parent = path.at(-1) ?? root
    if (event.kind === 'text') {
      if (event.text !== '') parent.children.push(event.text)
    } else if (event.kind === 'open') {
      const element: Open = {
        name: localName(event.name),
        attributes: (name) => event.attributes(name) ?? '',
        children: [],
      }
      if (path.length > deepest) continue
      parent.children.push(element)
      path.push(element)
    } else {
      const at = path.findLastIndex(({ name }) => name === localName(event.name))
      if (at > 0) path.splice(at)
    }
  }
  return root
}

const localName = (name: string) => name.slice(name.indexOf(':') + 1)

export function isElement(child: Element | string): child is Element {
  return typeof child !== 'string'
}

export function all(element: Element | null, ...path: readonly string[]): Element[] {
  let found = element === null ? [] : [element]
  for (const name of path)
    found = found.flatMap((each) => each.children.filter(isElement).filter((child) => child.name === name))
  return found
}

export function first(element: Element | null, ...path: readonly string[]): Element | null {
  return all(element, ...path)[0] ?? null
}

export function attribute(element: Element | null, name: string): string {
  return element?.attributes(name) ?? ''
}

export function textOf(element: Element | null): string {
  if (element === null) return ''
  const parts: string[] = []
  const walk = (each: Element): void => {
    for (const child of each.children) {
      if (isElement(child)) walk(child)
      else parts.push(child)
    }
    parts.push(' ')
  }
  walk(element)
  return parts.join('').replaceAll(/\s+/g, ' ').trim()
}
