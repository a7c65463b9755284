/** HL7 v2 in its own characters: segments, fields, repeats, components; separators are those that the message names. */
export type Segment = {
  readonly name: string
  /** Repeats of a field; each its components; each their subcomponents, with escapes still in. */
  readonly field: (place: number) => string
  readonly repeats: (place: number) => readonly string[]
  readonly separators: Separators
}

export type Separators = {
  readonly field: string
  readonly component: string
  readonly repeat: string
  readonly escape: string
  readonly subcomponent: string
}

const usual: Separators = { field: '|', component: '^', repeat: '~', escape: '\\', subcomponent: '&' }

/** The segments of a file in their order; a file may hold several messages, and batches around them. */
export function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = []
  let separators = usual
  for (const line of linesOf(text)) {
    const isHeader = /^(?:MSH|FHS|BHS)[^\w\s]/.test(line)
    if (isHeader) separators = separatorsIn(line)
    if (!/^[A-Z][A-Z0-9]{2}/.test(line) || (line.length > 3 && line[3] !== separators.field)) continue
    const fields = line.split(separators.field)
    // The separator itself is the first field of a header.
    if (isHeader) fields.splice(1, 0, separators.field)
    segments.push(segmentOf(line.slice(0, 3), fields, separators))
  }
  return segments
}

/** Segments end with a carriage return; files also end them with line feeds. What starts no segment goes on with the last. */
function linesOf(text: string): string[] {
  const lines: string[] = []
  // A file may still be in the frame in which it was sent.
  const unframed = ['\u000b', '\u001c', '\uFEFF'].reduce((rest, mark) => rest.replaceAll(mark, '\r'), text)
  for (const line of unframed.split(/[\r\n]+/)) {
    const isSegment = /^\s*[A-Z][A-Z0-9]{2}(?:[^\w\s]|$)/.test(line)
    if (isSegment) lines.push(line.trimStart())
    else if (line.trim() !== '' && lines.length > 0) lines.push(`${lines.pop() ?? ''}\\.br\\${line.trim()}`)
  }
  return lines
}

function separatorsIn(header: string): Separators {
  const field = header[3] ?? usual.field
  const [encoding = ''] = header.slice(4).split(field)
  return {
    field,
    component: encoding[0] ?? usual.component,
    repeat: encoding[1] ?? usual.repeat,
    escape: encoding[2] ?? usual.escape,
    subcomponent: encoding[3] ?? usual.subcomponent,
  }
}

function segmentOf(name: string, fields: readonly string[], separators: Separators): Segment {
  const field = (place: number) => (fields[place] === '""' ? '' : (fields[place] ?? ''))
  return {
    name,
    separators,
    field,
    repeats: (place) =>
      field(place)
        .split(separators.repeat)
        .filter((repeat) => repeat !== ''),
  }
}

/** A component of the field's first repeat, numbered from 1 as in the standard, in plain letters. */
export function part(segment: Segment, place: number, component = 1): string {
  return partOf(segment, segment.repeats(place)[0] ?? '', component)
}

export function partOf(segment: Segment, repeat: string, component: number): string {
  const { separators } = segment
  const found = repeat.split(separators.component)[component - 1] ?? ''
  return unescaped(found.split(separators.subcomponent)[0] ?? '', separators).trim()
}

/** Everything that a field says, in plain letters. */
export function wordsOfField(segment: Segment, place: number): string {
  return segment
    .repeats(place)
    .map((repeat) => wordsOfRepeat(segment, repeat))
    .filter((text) => text !== '')
    .join('; ')
}

function wordsOfRepeat(segment: Segment, repeat: string): string {
  const { component, subcomponent } = segment.separators
  return repeat
    .split(component)
    .flatMap((each) => each.split(subcomponent))
    .map((each) => unescaped(each, segment.separators).trim())
    .filter((each) => each !== '' && each !== '""')
    .join(' ')
}

/** Letters that stand for separators, line breaks, bytes in hexadecimal; marks of highlighting are left out. */
export function unescaped(text: string, separators: Separators): string {
  const { escape } = separators
  if (!text.includes(escape)) return text
  const mark = escape.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replaceAll(new RegExp(`${mark}([^${mark}]{1,80})${mark}`, 'g'), (whole, code: string) => {
    const letter = {
      F: separators.field,
      S: separators.component,
      T: separators.subcomponent,
      R: separators.repeat,
      E: escape,
    }[code]
    if (letter !== undefined) return letter
    if (/^\.(?:br|sp|ce|in|ti)/i.test(code)) return '\n'
    if (/^X(?:[0-9A-F]{2})+$/i.test(code))
      return Buffer.from(code.slice(1), 'hex').toString('utf8').replaceAll('\0', '').replaceAll(/\r\n?/g, '\n')
    return /^(?:H|N|\.(?:fi|nf|sk).*|[CMZ].*)$/i.test(code) ? '' : whole
  })
}
