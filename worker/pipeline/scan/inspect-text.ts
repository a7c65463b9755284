import { holdsKnownMalwareInBase64 } from '../../../platform/known-malware.ts'
import { decodeText } from '../../../platform/text-encoding.ts'
import type { Finding } from './findings.ts'
import type { Inspection } from './inspection.ts'

const deepest = 100

/** FHIR: must parse, be no deeper than any real resource, and say what it is. */
export function inspectJson(bytes: Buffer): Inspection {
  const text = decodeText(bytes)
  if (nestingOf(text) > deepest) return found('too_deep')
  if (holdsKnownMalwareInBase64(text)) return found('infected')
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'resourceType' in value ? found() : found('unknown_json')
  } catch {
    return found('corrupt')
  }
}

// Counted without parsing, because a parser that calls itself for each level is what deep nesting attacks.
function nestingOf(text: string): number {
  let [depth, most, isQuoted] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (isQuoted) {
      if (character === '\\') at++
      else if (character === '"') isQuoted = false
    } else if (character === '"') isQuoted = true
    else if (character === '{' || character === '[') most = Math.max(most, ++depth)
    else if (character === '}' || character === ']') depth--
  }
  return most
}

/** CDA: no document type, so no entities of any kind; not too deep. */
export function inspectXml(bytes: Buffer): Inspection {
  const text = decodeText(bytes)
  const markup = withoutComments(text)
  if (/<!(?:DOCTYPE|ENTITY)/i.test(markup)) return found('entities')
  if (holdsKnownMalwareInBase64(text)) return found('infected')
  let depth = 0
  for (const [tag] of markup.matchAll(/<[/!?]?[^<>]*>/g)) {
    if (tag.startsWith('</')) depth--
    else if (!/^<[!?]/.test(tag) && !tag.endsWith('/>')) depth++
    if (depth > deepest) return found('too_deep')
  }
  if (/<(?:\w+:)?script[\s>]|\son(?:load|error|click)\s*=|href\s*=\s*["']\s*javascript:/i.test(markup))
    return found('script')
  return depth === 0 ? found() : found('damaged')
}

/** Also without what is marked as data. By hand: a pattern would look for each missing end all over again. */
function withoutComments(xml: string): string {
  const parts: string[] = []
  let from = 0
  for (;;) {
    const at = xml.indexOf('<!', from)
    if (at === -1) break
    const end = xml.startsWith('<!--', at) ? '-->' : xml.startsWith('<![CDATA[', at) ? ']]>' : ''
    const until = end === '' ? at + 2 : xml.indexOf(end, at)
    if (until === -1) break
    parts.push(xml.slice(from, end === '' ? until : at))
    from = until + end.length
  }
  return [...parts, xml.slice(from)].join('')
}

const rtfObjects = /\\obj(?:ect|data|emb|link|ocx|html|autlink|update|class)\b/i
const rtfRemote =
  /\\(?:template|field)\b[^}]{0,400}(?:https?:|\\\\\\\\|ftp:)|\\fldinst\b[^\\}]{0,40}(?:\{[^}]{0,80})?(?:INCLUDE(?:PICTURE|TEXT)|DDE(?:AUTO)?)\s/i
const deepestGroup = 500

export function inspectRtf(bytes: Buffer): Inspection {
  const text = bytes.toString('latin1')
  if (groupsIn(text) > deepestGroup) return found('too_deep')
  const findings: Finding[] = []
  if (rtfObjects.test(text)) findings.push('embedded_object')
  if (rtfRemote.test(text)) findings.push('remote_content')
  if (!/\}[\s\0]*$/.test(text.slice(-200))) findings.push('damaged')
  return found(...findings)
}

function groupsIn(rtf: string): number {
  let [depth, most] = [0, 0]
  for (let at = 0; at < rtf.length; at++) {
    const character = rtf[at]
    if (character === '\\') at++
    else if (character === '{') most = Math.max(most, ++depth)
    else if (character === '}') depth--
  }
  return most
}

const segmentsWithoutHeader = /^(?:PID|OBR|OBX|ORC|PV1|EVN|NK1)\|/m

/** Also HL7 v2, which is text, and JSON or XML that the sniffing did not know. */
export function inspectPlainText(bytes: Buffer): Inspection {
  const text = decodeText(bytes)
  const head = text.slice(0, 65_536).trim()
  if (head.length < 3) return found('empty')
  if (holdsKnownMalwareInBase64(text)) return found('infected')
  if (/^[{[]/.test(head) && isJson(text)) return found('unknown_json')
  if (/^[{[]/.test(head) && nestingOf(text) > deepest) return found('too_deep')
  if (!head.startsWith('MSH') && segmentsWithoutHeader.test(head)) return found('incomplete_message')
  return found()
}

function isJson(text: string): boolean {
  if (nestingOf(text) > deepest) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function found(...findings: Finding[]): Inspection {
  return { pageCount: null, findings }
}
