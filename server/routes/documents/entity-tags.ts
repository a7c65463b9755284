/** RFC 9110, 8.8.3: a list of tags as a condition names them, or `*`. Ours are strong: one that is weak is another. */
const tags = (header: string) => [...header.matchAll(/(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g)].map(([tag]) => tag)

/** `If-None-Match`: compared weakly, since whoever asks has a copy that it may show. */
export const hasCopy = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header.trim() === '*' || tags(header).some((tag) => tag.replace(/^W\//, '') === etag))

/** `If-Match`: holds where it is not asked, or names exactly what is there. */
export const isStillThat = (header: string | undefined, etag: string): boolean =>
  header === undefined || header.trim() === '*' || tags(header).includes(etag)
