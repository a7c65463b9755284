/** What a PDF asks its reader to do, seen from the names that it has to use for it. */
import type { Finding } from './findings.ts'

const names: readonly (readonly [RegExp, Finding])[] = [
  [/\/Launch\b/, 'launch'],
  [/\/JavaScript\b/, 'script'],
  [/\/(?:EmbeddedFiles?|Filespec)\b/, 'attachment'],
  [/\/XFA\b/, 'form'],
  // Not by its last word alone: Screen is also a way to blend colours.
  [/\/(?:Subtype|S)[\s\0]*\/(?:Screen|Movie|Sound|3D|Rendition)\b|\/RichMedia\b/, 'rich_media'],
  [/\/(?:SubmitForm|ImportData)\b/, 'sends_form'],
  [/\/GoTo[RE]\b/, 'other_file'],
]
const executableName = /\.(?:exe|dll|com|scr|pif|bat|cmd|js|jse|vbs|vbe|wsf|ps1|hta|msi|jar|lnk|iso|docm|xlsm|pptm)$/i

/** Of text in which #xx has been undone. */
export function inspectNames(text: string): Finding[] {
  const found = names.flatMap(([name, finding]) => (name.test(text) ? [finding] : []))
  if (found.includes('attachment') && fileNames(text).some((name) => executableName.test(name)))
    found.push('executable_attachment')
  if (automaticActions(text).some((action) => /\/S[\s\0]*\/URI\b/.test(action))) found.push('remote_content')
  return found
}

function fileNames(text: string): string[] {
  const literal = [...text.matchAll(/\/U?F[\s\0]*\(((?:[^()\\]|\\[\s\S]){1,400})\)/g)].map(([, name = '']) => name)
  const hexadecimal = [...text.matchAll(/\/U?F[\s\0]*<([\da-f\s]{2,1600})>/gi)].map(([, digits = '']) =>
    Buffer.from(digits.replaceAll(/\s/g, ''), 'hex').toString('latin1'),
  )
  // What is left of UTF-16 without its zeros is enough to know the end of a name by.
  return [...literal, ...hexadecimal].map((name) => name.replaceAll(/\0|\\000|\\(?=[^\d])/g, '').trim())
}

const mostActions = 200

/** The dictionaries of what happens by itself, when the file or a page is opened, closed or printed. */
function automaticActions(text: string): string[] {
  const found: string[] = []
  for (const match of text.matchAll(/\/(?:OpenAction|AA)\b[\s\0]*(?=<<|\d+[\s\0]+\d+[\s\0]+R)/g)) {
    const action = valueAt(text, match.index + match[0].length)
    found.push(action, ...referredTo(text, action))
    if (found.length > mostActions) break
  }
  return found.slice(0, mostActions)
}

/** A dictionary up to its end, or the object that a reference names. */
function valueAt(text: string, at: number): string {
  if (!text.startsWith('<<', at)) return referredTo(text, text.slice(at, at + 30)).at(0) ?? ''
  let depth = 0
  for (const match of text.slice(at, at + 4000).matchAll(/<<|>>/g)) {
    depth += match[0] === '<<' ? 1 : -1
    if (depth === 0) return text.slice(at, at + match.index)
  }
  return ''
}

function referredTo(text: string, dictionary: string): string[] {
  return [...dictionary.matchAll(/(\d{1,8})[\s\0]+(\d{1,5})[\s\0]+R\b/g)]
    .slice(0, 12)
    .flatMap(([, number, generation]) => {
      const object = new RegExp(`(?<!\\d)${number}[\\s\\0]+${generation}[\\s\\0]+obj\\b`).exec(text)
      if (object === null) return []
      const end = text.indexOf('endobj', object.index)
      return [text.slice(object.index, Math.min(end === -1 ? text.length : end, object.index + 4000))]
    })
}
