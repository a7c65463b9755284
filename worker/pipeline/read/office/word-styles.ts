/** What a Word file's styles and numberings say of its paragraphs. */
import { all, attribute, first, type Element } from '../structured/xml-tree.ts'

export type ParagraphStyle = {
  readonly isHeading: boolean
  readonly isBold: boolean
  readonly isHidden: boolean
  readonly isStruck: boolean
  readonly numbering: { readonly id: string; readonly level: number } | null
}

const noStyle: ParagraphStyle = { isHeading: false, isBold: false, isHidden: false, isStruck: false, numbering: null }

/** On unless it says otherwise: `<w:b/>`, `<w:b w:val="0"/>`. */
export function isOn(element: Element | null): boolean {
  return element !== null && !['0', 'false', 'off', 'none'].includes(attribute(element, 'w:val'))
}

export function readStyles(root: Element | null): ReadonlyMap<string, ParagraphStyle> {
  const raw = new Map(all(root, 'styles', 'style').map((style) => [attribute(style, 'w:styleId'), style]))
  const read = new Map<string, ParagraphStyle>()
  const resolve = (id: string, depth: number): ParagraphStyle => {
    const known = read.get(id)
    const style = raw.get(id)
    if (known !== undefined || style === undefined || depth > 20) return known ?? noStyle
    const base = attribute(first(style, 'basedOn'), 'w:val')
    const made = styleOf(style, base === '' ? noStyle : resolve(base, depth + 1))
    read.set(id, made)
    return made
  }
  for (const id of raw.keys()) resolve(id, 0)
  return read
}

function styleOf(style: Element, base: ParagraphStyle): ParagraphStyle {
  const name = attribute(first(style, 'name'), 'w:val')
  const bold = first(style, 'rPr', 'b')
  const hidden = first(style, 'rPr', 'vanish')
  return {
    isHeading:
      base.isHeading || /^(?:heading|title|subtitle)\b/i.test(name) || first(style, 'pPr', 'outlineLvl') !== null,
    isBold: bold === null ? base.isBold : isOn(bold),
    isHidden: hidden === null ? base.isHidden : isOn(hidden),
    isStruck: strikeOf(first(style, 'rPr')) ?? base.isStruck,
    numbering: numberingOf(first(style, 'pPr')) ?? base.numbering,
  }
}

/** Whether a line or two go through it; null where nothing is said of that. */
export function strikeOf(properties: Element | null): boolean | null {
  const said = [first(properties, 'strike'), first(properties, 'dstrike')].filter((each) => each !== null)
  return said.length === 0 ? null : said.some(isOn)
}

/** A number of zero takes a numbering away that the style gave. */
export function numberingOf(properties: Element | null): ParagraphStyle['numbering'] {
  const numbering = first(properties, 'numPr')
  if (numbering === null) return null
  const level = Number(attribute(first(numbering, 'ilvl'), 'w:val') || '0')
  return { id: attribute(first(numbering, 'numId'), 'w:val'), level: Math.min(Math.max(level, 0), 8) }
}

type Level = { readonly format: string; readonly text: string; readonly start: number }
export type NextLabel = (id: string, level: number) => string

/** Counts list items as Word does: each list and level on its own, deeper ones anew below each item. */
export function createNumbering(root: Element | null): NextLabel {
  const abstract = new Map(
    all(root, 'numbering', 'abstractNum').map((each) => [attribute(each, 'w:abstractNumId'), each]),
  )
  const lists = new Map(
    all(root, 'numbering', 'num').map((num) => {
      const definition = abstract.get(attribute(first(num, 'abstractNumId'), 'w:val')) ?? null
      return [attribute(num, 'w:numId'), all(definition, 'lvl').map(levelOf)] as const
    }),
  )
  const counts = new Map<string, number[]>()
  return (id, level) => {
    if (id === '0') return ''
    const levels = lists.get(id) ?? []
    const own = levels[level]
    const count = counts.get(id) ?? []
    counts.set(id, count)
    count.length = Math.min(count.length, level + 1)
    for (let each = count.length; each <= level; each++)
      count.push((levels[each]?.start ?? 1) - (each === level ? 1 : 0))
    count[level] = (count[level] ?? 0) + 1
    if (own === undefined || own.format === 'bullet') return '• '
    if (own.format === 'none') return ''
    const text = own.text.replaceAll(/%(\d)/g, (_, place: string) => {
      const at = Number(place) - 1
      return numeral(count[at] ?? levels[at]?.start ?? 1, levels[at]?.format ?? 'decimal')
    })
    return text.trim() === '' ? '' : `${text} `
  }
}

function levelOf(level: Element): Level {
  return {
    format: attribute(first(level, 'numFmt'), 'w:val') || 'decimal',
    text: attribute(first(level, 'lvlText'), 'w:val'),
    start: Number(attribute(first(level, 'start'), 'w:val') || '1'),
  }
}

function numeral(number: number, format: string): string {
  if (/letter/i.test(format)) {
    const letter = String.fromCharCode(97 + ((number - 1) % 26)).repeat(Math.ceil(number / 26))
    return format.startsWith('upper') ? letter.toUpperCase() : letter
  }
  if (/roman/i.test(format)) return format.startsWith('upper') ? roman(number) : roman(number).toLowerCase()
  return format === 'decimalZero' && number < 10 ? `0${number}` : String(number)
}

function roman(number: number): string {
  const steps = [
    [10, 'X'],
    [9, 'IX'],
    [5, 'V'],
    [4, 'IV'],
    [1, 'I'],
  ] as const
  let [rest, text] = [Math.min(number, 399), '']
  while (rest >= 100) [rest, text] = [rest - 100, `${text}C`]
  while (rest >= 50) [rest, text] = [rest - 50, `${text}L`]
  for (const [value, letter] of steps) while (rest >= value) [rest, text] = [rest - value, text + letter]
  return text
}
