/**
 * What a scan may find, what follows from it, and what the person who uploaded the file is told.
 */
type Consequence = {
  readonly verdict: 'marked' | 'rejected'
  /** The public code of a refusal. */
  readonly code: string | null
  readonly reason: string
}

export const consequences = {
  empty: rejected('file_empty', 'The file is empty.'),
  unsupported_type: rejected(
    'unsupported_file_type',
    'This type of file cannot be taken: it is not a document, picture or text that we read.',
  ),
  infected: rejected('file_infected', 'The file holds malware. It was not opened and is not handed out.'),
  encrypted: rejected('file_encrypted', 'The file is locked with a password. Please upload it without one.'),
  corrupt: rejected('file_corrupt', 'The file is damaged or invalid and cannot be opened.'),
  no_pages: rejected('file_corrupt', 'The file is invalid: it has no pages.'),
  too_many_pages: rejected('too_many_pages', 'The file has more pages than the limit allows. Please split it.'),
  bomb: rejected('file_too_large', 'The file unpacks to a size far above the limit.'),
  too_many_pixels: rejected('file_too_large', 'The picture has more pixels than the size limit allows.'),
  takes_too_long: rejected(
    'file_corrupt',
    'The file could not be checked within the time and memory limit; it may be damaged or a bomb.',
  ),
  entities: rejected('file_corrupt', 'The file defines XML entities, which are not allowed: it may be a bomb.'),
  too_deep: rejected('file_corrupt', 'The file is nested deeper than the limit allows and cannot be read.'),
  unknown_json: rejected(
    'unsupported_file_type',
    'The file is JSON of a type that we do not read; only FHIR is taken.',
  ),
  unknown_xml: rejected(
    'unsupported_file_type',
    'The file is XML of a type that we do not read; only clinical documents (CDA) are taken.',
  ),
  damaged: marked('The file is damaged; what could be repaired was read.'),
  type_mismatch: marked('The file is of another type than its name or sender says; it was taken for what it is.'),
  script: marked('The file holds a script (active content). It was not run; take care before opening the original.'),
  launch: marked(
    'The file tries to launch a program (active content). It was not run; take care before opening the original.',
  ),
  attachment: marked('Another file is embedded as an attachment (active content) and was not read.'),
  executable_attachment: marked(
    'An executable program is embedded as an attachment. It was not run; take care before opening the original.',
  ),
  form: marked('The file holds an active form (XFA) that was not filled in; the text on its pages was read.'),
  sends_form: marked(
    'The file has a form that sends what is typed into it elsewhere (active content). Nothing was sent.',
  ),
  other_file: marked('The file opens another file by a link (active content). It was not opened.'),
  rich_media: marked('The file holds active media that were not played.'),
  embedded_object: marked('An embedded object (active content) was not opened.'),
  macros: marked('The file holds macros (active content). They were not run.'),
  remote_content: marked('The file refers to a remote template or picture (active content) that was not fetched.'),
  huge_page: marked('A page is of enormous size; it was read at a lower resolution to stay within the limit.'),
  polyglot: marked('The file holds data of another type behind its end, which was ignored.'),
  locked_part: marked('A part of the file is locked with a password, so it could not be checked for malware.'),
  unscanned: marked(
    'The file has not been checked for malware yet; that will be done later. Take care before opening the original.',
  ),
  incomplete_message: marked(
    'The file looks like an HL7 message that lacks its header (MSH); it was taken as plain text.',
  ),
} satisfies Record<string, Consequence>

export type Finding = keyof typeof consequences

function rejected(code: string, reason: string): Consequence {
  return { verdict: 'rejected', code, reason }
}

function marked(reason: string): Consequence {
  return { verdict: 'marked', code: null, reason }
}
