// Of UTF-16, at most three bytes each: under the 255 bytes that a file system takes.
const maxLength = 80
const endLength = 20

/**
 * Where an original lies in an archive: a folder of its own, and the name that it came with, which is somebody's
 * input: no path, nothing that a file system refuses, and no longer than every one of them takes.
 */
export function originalName({ id, filename }: { readonly id: string; readonly filename: string }): string {
  const plain = filename
    .toWellFormed()
    .normalize('NFC')
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u001F\u007F-\u009F"*/:<>?\\|\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, '_')
    .replace(/^[. ]+/, '')
    .replace(/[. ]+$/, '')
  return `${id}/${shortened(plain) || 'file'}`
}

/** The end says what kind of file it is: it stays. */
function shortened(name: string): string {
  if (name.length <= maxLength) return name
  return `${name.slice(0, maxLength - endLength - 1)}_${name.slice(-endLength)}`.toWellFormed()
}
