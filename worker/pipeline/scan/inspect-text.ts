import { holdsKnownMalware } from '../../../platform/known-malware.ts'
import { decodeText } from '../../../platform/text-encoding.ts'
import type { Finding } from './findings.ts'
import type { Inspection } from './inspection.ts'

const deepest = 100

/** FHIR: must parse, be no deeper than any real resource, and say what it is. */
export function inspectJson(bytes: Buffer): Inspection {
  const text = decodeText(bytes)
  if (nestingOf(text) > deepest) return found('too_deep')
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
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) return found('entities')
  let depth = 0
  for (const [tag] of text.matchAll(/<[/!?]?[^>]*>/g)) {
    if (tag.startsWith('</')) depth--
    else if (!/^<[!?]/.test(tag) && !tag.endsWith('/>')) depth++
    if (depth > deepest) return found('too_deep')
  }
  if (/<script[\s>]/i.test(text)) return found('script')
  return depth === 0 ? found() : found('damaged')
}

const rtfObjects = /\\obj(?:ect|data|emb|link|ocx|html|autlink|update|class)\b/i
const rtfRemote = /\\(?:template|field)\b[^}]{0,400}(?:https?:|\\\\\\\\|ftp:)|INCLUDE(?:PICTURE|TEXT)\s|DDE(?:AUTO)?\s/i

export function inspectRtf(bytes: Buffer): Inspection {
  const text = bytes.toString('latin1')
  const findings: Finding[] = []
  if (rtfObjects.test(text)) findings.push('embedded_object')
  if (rtfRemote.test(text)) findings.push('remote_content')
  if (!text.trimEnd().endsWith('}')) findings.push('damaged')
  return found(...findings)
}

const segmentsWithoutHeader = /^(?:PID|OBR|OBX|ORC|PV1|EVN|NK1)\|/m

/** Also HL7 v2, which is text, and JSON or XML that the sniffing did not know. */
export function inspectPlainText(bytes: Buffer): Inspection {
  const head = decodeText(bytes.subarray(0, 65_536)).trim()
  if (head.length < 3) return found('empty')
  if (/^MIME-Version:/im.test(head) && holdsKnownMalware(base64Blocks(bytes))) return found('infected')
  if (/^[{[]/.test(head) && isJson(bytes)) return found('unknown_json')
  if (/^[{[]/.test(head) && nestingOf(decodeText(bytes)) > deepest) return found('too_deep')
  if (!head.startsWith('MSH') && segmentsWithoutHeader.test(head)) return found('incomplete_message')
  return found()
}

// A saved e-mail passes as text; its attachments are in blocks of base64.
function base64Blocks(bytes: Buffer): Buffer {
  const lines = bytes.toString('latin1').split(/\r?\n/)
  return Buffer.from(lines.filter((line) => /^[A-Za-z0-9+/]+={0,2}$/.test(line)).join(''), 'base64')
}

function isJson(bytes: Buffer): boolean {
  const text = decodeText(bytes)
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
