/** In which code page an RTF file and each of its fonts write their letters. */
import { TextDecoder } from 'node:util'

const pagesOfCharsets: Readonly<Record<string, string>> = {
  77: 'macintosh',
  128: 'shift_jis',
  129: 'euc-kr',
  130: 'euc-kr',
  134: 'gbk',
  136: 'big5',
  161: 'windows-1253',
  162: 'windows-1254',
  163: 'windows-1258',
  177: 'windows-1255',
  178: 'windows-1256',
  186: 'windows-1257',
  204: 'windows-1251',
  222: 'windows-874',
  238: 'windows-1250',
}
const namedPages: Readonly<Record<string, string>> = {
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  10000: 'macintosh',
  65001: 'utf-8',
}

export type RtfFont = { readonly decoder: TextDecoder | null; readonly isSymbol: boolean }

export function fontsOf(source: string): ReadonlyMap<number, RtfFont> {
  const fonts = new Map<number, RtfFont>()
  for (const [, font, charset, rest] of source.matchAll(
    /\\f(\d{1,5})\b[^{};]{0,120}?\\fcharset(\d{1,3})([^;}]{0,80})/g,
  )) {
    const page = pagesOfCharsets[charset ?? '']
    const isSymbol = charset === '2' && !/wingdings|webdings|dingbats/i.test(rest ?? '')
    fonts.set(Number(font), { decoder: page === undefined ? null : new TextDecoder(page), isSymbol })
  }
  return fonts
}

export function decoderOf(source: string): TextDecoder {
  const page = /\\ansicpg(\d{1,5})/.exec(source)?.[1] ?? (/^\{\\rtf\d*\s*\\mac\b/.test(source) ? '10000' : '1252')
  try {
    return new TextDecoder(namedPages[page] ?? `windows-${page}`)
  } catch {
    return new TextDecoder('windows-1252')
  }
}
