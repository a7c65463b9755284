import { decodeText, encodingOf } from '../../../../platform/text-encoding.ts'

/** XML says how it is written; Unicode of two bytes a letter is seen without being told, and what says UTF-8 may not be. */
export function decodeXml(file: Buffer): string {
  const seen = encodingOf(file)
  const said = /^\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.:-]{1,40})["']/i.exec(file.toString('latin1', 0, 300))?.[1]
  if (said === undefined || seen.startsWith('utf-16') || /^utf-?(?:8|16)/i.test(said)) return decodeText(file)
  try {
    return new TextDecoder(said).decode(file)
  } catch {
    return decodeText(file)
  }
}
